'use strict';

// The bot in small, as `npm start` runs it: a process of its own that is asked over HTTP and
// WebSocket.

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { connect } = require('./support/client');
const { signIn } = require('./support/people');
const { closeServer, listen } = require('./support/server');
const { share } = require('./support/suite');

/** A page of somebody who is signed in, with the snapshot of its room read. */
async function openPage(bot, person, roomId) {
  const page = await connect(bot, person.asClient);
  await page.join(roomId);
  return { page, snapshot: await page.nextMessage() };
}

describe('the bot', () => {
  let bot;
  let taken;
  let ada;
  let alan;

  share(async suite => {
    const other = http.createServer();
    taken = await listen(other);
    suite.after(() => closeServer(other));
    bot = await startBot(suite, { port: taken });
    [ada, alan] = await Promise.all(['Ada', 'Alan'].map(name => signIn(bot.address, name)));
  });

  it('takes the next free port where its own is taken', () => {
    assert.ok(bot.port > taken, bot.address);
    assert.equal(bot.output[0], `Port ${taken} is taken, trying ${taken + 1}.`);
  });

  it('shows a page at / and everything that the page asks for', async () => {
    const page = await bot.get('/');
    assert.match(page.headers.get('content-type'), /^text\/html/);
    assert.match(page.headers.get('content-security-policy'), /^default-src 'self';/);
    const html = await page.text();
    const seen = new Set([...html.matchAll(/(?:href|src)="([^":]+)"/g)].map(match => match[1]));
    for (const name of seen) {
      const asset = await bot.get(name);
      assert.equal(asset.status, 200, name);
      const text = await asset.text();
      // A browser runs no module that comes with another type.
      const type = asset.headers.get('content-type');
      if (name.endsWith('.css')) assert.match(type, /^text\/css/, name);
      if (!/\.m?js$/.test(name)) continue;
      assert.match(type, /^text\/javascript/, name);
      for (const [, imported] of text.matchAll(/^(?:import|export) [^'=]*'([^']+)';$/gm)) {
        seen.add(new URL(imported, new URL(name, bot.address)).pathname);
      }
    }
    assert.ok(seen.has('/roomcast/room-client.js'), [...seen].join());
  });

  it('tells every page of a room who comes and goes', async () => {
    const pages = [];
    for (const person of [ada, alan]) {
      const { page, snapshot } = await openPage(bot, person, 1);
      assert.equal(snapshot.event, 'PARTICIPANT_COUNT_UPDATED');
      assert.equal(snapshot.currentParticipants, 0);
      assert.equal(snapshot.maxParticipants, 50);
      pages.push(page);
    }

    const joined = await ada.post('/api/rooms/1/join');
    assert.equal(joined.status, 200);
    const room = await joined.json();
    const updates = await Promise.all(pages.map(page => page.nextMessage()));
    for (const update of updates) {
      assert.equal(update.event, 'USER_JOINED');
      assert.equal(update.participantName, 'Ada');
      assert.equal(update.currentParticipants, 1);
      assert.equal(update.availableSlots, 49);
    }
    assert.deepEqual(room, {
      id: 1,
      name: 'Lobby',
      inside: true,
      participants: ['Ada'],
      roomId: 1,
      currentParticipants: 1,
      maxParticipants: 50,
      isFull: false,
      availableSlots: 49,
      seq: updates[0].seq,
      epoch: room.epoch,
    });

    await ada.post('/api/rooms/1/leave');
    for (const page of pages) {
      const update = await page.nextMessage();
      assert.equal(update.event, 'USER_LEFT');
      assert.equal(update.currentParticipants, 0);
    }
  });

  it('says nothing where nothing has changed', async () => {
    const { page } = await openPage(bot, ada, 2);
    await ada.leave(2);
    for (const person of [ada, ada, alan]) assert.equal(await person.join(2), 200);
    for (const expected of ['Ada', 'Alan']) {
      const update = await page.nextMessage();
      assert.equal(update.event, 'USER_JOINED');
      assert.equal(update.participantName, expected);
    }
    const room = await (await ada.get('/api/rooms/2')).json();
    assert.deepEqual(room.participants, ['Ada', 'Alan']);
  });

  it('lets no more people in than a room holds', async () => {
    const people = await Promise.all(['a', 'b', 'c', 'd'].map(name => signIn(bot.address, name)));
    for (const person of people) assert.equal(await person.join(4), 200);
    const refused = await alan.post('/api/rooms/4/join');
    assert.equal(refused.status, 409);
    assert.deepEqual(await refused.json(), { error: 'Room is full' });
    const room = await (await alan.get('/api/rooms/4')).json();
    assert.equal(room.isFull, true);
    assert.equal(room.inside, false);
    assert.deepEqual(room.participants, ['a', 'b', 'c', 'd']);
  });

  it('answers a poll that knows the newest state with 304', async () => {
    const first = await ada.get('/api/rooms/3');
    assert.equal(first.headers.get('cache-control'), 'private, no-cache');
    // As a browser sends it for `cache: 'no-cache'`.
    const again = { 'If-None-Match': first.headers.get('etag'), 'Cache-Control': 'max-age=0' };
    assert.equal((await ada.get('/api/rooms/3', again)).status, 304);
    await alan.join(3);
    const changed = await ada.get('/api/rooms/3', again);
    assert.equal(changed.status, 200);
    assert.equal((await changed.json()).currentParticipants, 1);
  });

  it('shows the rooms of the groups that one is a member of, and no other', async () => {
    const rooms = await (await ada.get('/api/rooms')).json();
    assert.deepEqual(
      rooms.map(({ id, name }) => `${id} ${name}`),
      ['1 Lobby', '2 Study hall', '3 Music lounge', '4 Game night'],
    );
    const denied = await ada.get('/api/rooms/5');
    assert.equal(denied.status, 403);
    assert.deepEqual(await denied.json(), { error: 'Access denied to this room' });
    assert.equal(await ada.join(5), 403);

    const page = await connect(bot, ada.asClient);
    for (const roomId of [5, 99, 2 ** 40, 'backstage']) {
      page.send({ action: 'JOIN_ROOM', roomId });
      const answer = await page.nextMessage();
      assert.equal(answer.error, 'Access denied to this room');
      assert.equal(answer.roomId, roomId);
    }
  });

  it('answers what is not there', async () => {
    for (const id of ['99', 'lobby', '01', '1.5', '-1', '99999999999999999999']) {
      const answer = await ada.get(`/api/rooms/${id}`);
      assert.equal(answer.status, 404, id);
      assert.deepEqual(await answer.json(), { error: 'Room not found' });
    }
    assert.equal(await ada.join(99), 404);
    const answer = await ada.get('/api/nothing');
    assert.equal(answer.status, 404);
    assert.deepEqual(await answer.json(), { error: 'Not found' });
  });

  it('takes nothing from forms of other sites, and no broken JSON', async () => {
    const send = (body, type) =>
      fetch(new URL('/api/rooms/1/join', bot.address), {
        method: 'POST',
        headers: { Cookie: ada.cookie, ...(type && { 'Content-Type': type }) },
        body,
      });
    assert.equal((await send('{}', 'text/plain')).status, 415);
    assert.equal((await send('a=b', 'application/x-www-form-urlencoded')).status, 415);
    assert.equal((await send(new Uint8Array())).status, 415);
    const broken = await send('{', 'application/json');
    assert.equal(broken.status, 400);
    assert.deepEqual(Object.keys(await broken.json()), ['error']);
    assert.equal((await send('[]', 'application/json; charset=utf-8')).status, 200);
    await ada.leave(1);
  });

  it('is healthy without a look at sessions', async () => {
    const answer = await bot.get('/healthz');
    assert.equal(answer.status, 200);
    assert.deepEqual(await answer.json(), { ok: true });
    assert.equal(answer.headers.get('set-cookie'), null);
  });
});
