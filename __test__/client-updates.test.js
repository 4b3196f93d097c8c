'use strict';

// The browser's client on a connection that holds.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { until } = require('./support/wait');

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  it('shows what a room is like, and then every update', async t => {
    const site = await startSite(t);
    site.hub.broadcastParticipantCount(1, 3, 50);
    const client = await openClient(t, open, site);
    await client.updated(1);
    site.hub.broadcastRoomUpdate(1, 'Ada', 4, 50, 'join');
    site.hub.broadcastRoomUpdate(1, { event: 'ROOM_RENAMED', name: 'Attic' });
    const [snapshot, joined, renamed] = await client.updated(3);
    assert.equal(snapshot.event, 'PARTICIPANT_COUNT_UPDATED');
    assert.equal(snapshot.currentParticipants, 3);
    assert.deepEqual([joined.event, joined.participantName], ['USER_JOINED', 'Ada']);
    assert.deepEqual([renamed.event, renamed.name], ['ROOM_RENAMED', 'Attic']);
    assert.deepEqual(await client.states(), ['live']);
    assert.deepEqual(await client.errors(), []);
  });

  it('is in many rooms, each under its one name, and once', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { rooms: ['1', 1, 'lobby', '01'] });
    await until(() => site.hub.getClientCount('lobby') === 1, 'the lobby');
    await client.call('join', 1);
    await client.call('join', 'lobby');
    await client.answered();
    assert.equal(site.hub.getStats().totalConnections, 3);
    site.hub.broadcastParticipantCount(1, 1, 50);
    site.hub.broadcastParticipantCount('lobby', 2, 50);
    site.hub.broadcastParticipantCount('01', 3, 50);
    const updates = await client.updated(3);
    const rooms = updates.map(update => [update.roomId, update.currentParticipants]);
    assert.deepEqual(
      rooms.sort((a, b) => a[1] - b[1]),
      [
        [1, 1],
        ['lobby', 2],
        ['01', 3],
      ],
    );
  });

  it('says nothing more of a room that the page has left', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { rooms: [1, 2] });
    await until(() => site.hub.getStats().totalConnections === 2, 'both rooms');
    await client.call('leave', '1');
    await client.call('leave', 1);
    await client.call('leave', 'never joined');
    await until(() => site.hub.getClientCount(1) === 0, 'the leave');
    site.hub.broadcastParticipantCount(1, 1, 50);
    site.hub.broadcastParticipantCount(2, 2, 50);
    const [update] = await client.updated(1);
    assert.equal(update.roomId, 2);
    assert.deepEqual(await client.errors(), []);
  });

  it('ends where the page has ended, however often it changes its mind', async t => {
    const site = await startSite(t);
    site.hub.broadcastParticipantCount(1, 7, 50);
    const client = await openClient(t, open, site);
    await client.updated(1);
    for (const last of ['join', 'leave', 'join']) {
      await client.page.evaluate(method => {
        for (let i = 0; i < 5; i++) for (const name of ['leave', 'join']) window.client[name](1);
        window.client[method](1);
      }, last);
      // One action at a time is under way: a leave, and the join after it.
      for (let i = 0; i < 3; i++) await client.answered();
      assert.equal(site.hub.getClientCount(1), last === 'join' ? 1 : 0);
    }
    const shown = (await client.updates()).length;
    site.hub.broadcastParticipantCount(1, 8, 50);
    const updates = await client.updated(shown + 1);
    assert.deepEqual(await client.errors(), []);
    // Who joins anew is shown what the room is like.
    assert.ok(updates.slice(1, -1).every(update => update.currentParticipants === 7));
    assert.ok(updates.length > 2);
  });

  it('tells how many connections are in a room', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site);
    await client.reaches('live');
    const [own, other] = await client.page.evaluate(() =>
      Promise.all([window.client.status(1), window.client.status('other')]),
    );
    assert.deepEqual([own.roomId, own.connectedClients], [1, 1]);
    assert.deepEqual([other.type, other.connectedClients], ['ROOM_STATUS', 0]);
  });

  it('says why there is no status', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site);
    await client.reaches('live');
    site.road.freeze();
    const ended = client.page.evaluate(() =>
      window.client.status(1).then(
        () => 'answered',
        error => error.message,
      ),
    );
    await client.page.evaluate(() => {});
    site.road.cut();
    assert.equal(await ended, 'Connection lost');
    await until(async () => (await client.state()) !== 'live', 'the loss');
    await assert.rejects(client.call('status', 1), /No live connection: (connecting|offline)/);
  });
});
