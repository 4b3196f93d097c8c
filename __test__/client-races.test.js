'use strict';

// What a hub seldom does, or only in a cluster, done on purpose by a server that follows a script.

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const { WebSocketServer } = require('ws');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { closeServer, listen } = require('./support/server');
const { until } = require('./support/wait');

/** A server whose connections do nothing of their own but greet: `{ url, sockets, asked }`. */
async function startScript(t) {
  const server = http.createServer();
  const script = { sockets: [], asked: [] };
  new WebSocketServer({ server }).on('connection', socket => {
    script.sockets.push(socket);
    socket.on('message', text => script.asked.push(JSON.parse(text)));
    script.say({ type: 'CONNECTION_ESTABLISHED', userId: 'ann' });
  });
  script.say = message => script.sockets.at(-1).send(JSON.stringify(message));
  script.hears = count =>
    until(() => script.asked.length >= count && script.asked.at(count - 1), `${count} messages`);
  script.update = (seq, more) =>
    script.say({ type: 'ROOM_UPDATE', roomId: 1, event: 'USER_JOINED', seq, ...more });
  script.joined = (seq, epoch, more) =>
    script.say({ type: 'ROOM_JOINED', roomId: 1, seq, epoch, ...more });
  script.left = () => script.say({ type: 'ROOM_LEFT', roomId: 1 });
  t.after(() => {
    for (const socket of script.sockets) socket.terminate();
    return closeServer(server);
  });
  script.url = `ws://127.0.0.1:${await listen(server)}`;
  return script;
}

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  async function start(t) {
    const script = await startScript(t);
    const site = await startSite(t);
    const client = await openClient(t, open, site, { options: { url: script.url, poll: false } });
    assert.deepEqual(await script.hears(1), { action: 'JOIN_ROOM', roomId: 1 });
    return { script, client };
  }

  const shown = async client => (await client.updates()).map(({ seq }) => seq);

  it('asks once more for a snapshot that was lost with the connection', async t => {
    const { script, client } = await start(t);
    script.joined(5, 'a');
    script.sockets[0].terminate();
    assert.deepEqual(await script.hears(2), {
      action: 'JOIN_ROOM',
      roomId: 1,
      lastSeq: 5,
      epoch: 'a',
    });
    script.joined(5, 'a', { recovered: true });
    assert.equal((await script.hears(3)).action, 'JOIN_ROOM');
    script.joined(5, 'a', { recovered: false });
    script.update(5, { event: 'PARTICIPANT_COUNT_UPDATED', epoch: 'a' });
    script.update(5, { event: 'PARTICIPANT_COUNT_UPDATED', epoch: 'a' });
    script.update(6);
    await client.updated(2);
    assert.deepEqual(await shown(client), [5, 6]);
  });

  it('shows nothing that is older than what it has shown', async t => {
    const { script, client } = await start(t);
    script.joined(5, 'a');
    for (const seq of [5, 7, 6, 7, 9]) script.update(seq);
    // A cluster's snapshot, after its process was cut off: first nothing new, then a gap, then another epoch.
    script.update(9, { epoch: 'a' });
    script.update(12, { epoch: 'a' });
    script.update(3, { epoch: 'b' });
    script.update(4);
    script.update(13, { epoch: 'a' });
    await client.updated(7);
    assert.deepEqual(await shown(client), [5, 7, 9, 12, 3, 4, 13]);
  });

  it('is not thrown back by a process that has yet to hear of what it saw', async t => {
    const { script, client } = await start(t);
    script.joined(8, 'a');
    script.update(8, { epoch: 'a' });
    script.sockets[0].terminate();
    await script.hears(2);
    script.joined(6, 'a', { recovered: false });
    script.update(6, { epoch: 'a' });
    for (const seq of [7, 8, 9]) script.update(seq);
    await client.updated(2);
    assert.deepEqual(await shown(client), [8, 9]);
  });

  it('takes the end of a membership that it ended for no removal', async t => {
    const { script, client } = await start(t);
    script.joined(1, 'a');
    script.update(1, { epoch: 'a' });
    await client.updated(1);
    await client.page.evaluate(() => {
      window.client.leave(1);
      window.client.join(1);
    });
    assert.equal((await script.hears(2)).action, 'LEAVE_ROOM');
    // The bot takes it out just then: two ends, one join.
    script.update(2);
    script.left();
    assert.deepEqual(await script.hears(3), { action: 'JOIN_ROOM', roomId: 1 });
    script.left();
    script.joined(2, 'a');
    script.update(2, { epoch: 'a' });
    script.update(3);
    await client.updated(3);
    assert.deepEqual(await shown(client), [1, 2, 3]);
    assert.deepEqual(await client.errors(), []);
    script.left();
    assert.deepEqual(await client.gets(1, 'error'), [{ error: 'Removed from room', roomId: 1 }]);
  });

  it('leaves a room whose join was under way, and says nothing of it', async t => {
    const { script, client } = await start(t);
    await client.call('leave', 1);
    script.joined(1, 'a');
    script.update(1, { epoch: 'a' });
    assert.equal((await script.hears(2)).action, 'LEAVE_ROOM');
    script.left();
    await client.call('join', 2);
    assert.deepEqual(await script.hears(3), { action: 'JOIN_ROOM', roomId: 2 });
    assert.deepEqual(await shown(client), []);
    assert.deepEqual(await client.errors(), []);
  });

  it('shows what a server without numbers says', async t => {
    const { script, client } = await start(t);
    script.joined();
    for (let i = 0; i < 3; i++) script.update(undefined, { currentParticipants: 1 });
    await client.updated(3);
  });
});
