'use strict';

// What a hub refuses, and what it takes back.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { nextEvent, until } = require('./support/wait');

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  it('gives up a room that it may not enter, and no other', async t => {
    const asked = [];
    const site = await startSite(t, {
      authorizeJoin: (_, roomId) => {
        asked.push(roomId);
        return roomId !== 2;
      },
    });
    site.hub.broadcastParticipantCount(1, 1, 50);
    const client = await openClient(t, open, site, { rooms: [1, 2] });
    const error = 'Access denied to this room';
    assert.deepEqual(await client.gets(1, 'error'), [{ error, roomId: 2 }]);
    await client.updated(1);
    site.road.cut();
    await client.gets(3, 'state');
    await until(() => site.hub.getClientCount(1) === 1, 'room 1');
    await client.answered();
    assert.deepEqual(asked, [1, 2, 1]);
    // The page may try again.
    await client.call('join', 2);
    assert.deepEqual((await client.gets(2, 'error'))[1], { error, roomId: 2 });
  });

  it('tries again where the bot could not say', async t => {
    let failures = 2;
    const site = await startSite(t, {
      authorizeJoin: () => {
        failures -= 1;
        if (failures >= 0) throw new Error('the database is away');
        return true;
      },
    });
    const client = await openClient(t, open, site);
    await until(() => site.hub.getClientCount(1) === 1, 'the join');
    const error = { error: 'Unable to verify room membership', roomId: 1 };
    assert.deepEqual(await client.errors(), [error, error]);
  });

  it('gives up a room that is one too many', async t => {
    const site = await startSite(t, { maxRoomsPerConnection: 1 });
    const client = await openClient(t, open, site, { rooms: [1, 2] });
    const errors = await client.gets(1, 'error');
    assert.deepEqual(errors, [{ error: 'Too many rooms', roomId: 2 }]);
    await client.call('leave', 1);
    await until(() => site.hub.getClientCount(1) === 0, 'the leave');
    await client.call('join', 2);
    await until(() => site.hub.getClientCount(2) === 1, 'the other room');
  });

  it('gives up a room that the bot takes it out of', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { rooms: [1, 2] });
    await client.answered();
    assert.equal(site.hub.removeFromRoom('ann', 1), 1);
    const errors = await client.gets(1, 'error');
    assert.deepEqual(errors, [{ error: 'Removed from room', roomId: 1 }]);
    site.road.cut();
    await client.gets(3, 'state');
    await client.answered();
    assert.deepEqual(site.hub.getActiveRooms(), [2]);
  });

  it('comes back to a room that the bot has closed', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site);
    await client.answered();
    const joined = nextEvent(site.hub, 'join');
    assert.equal(site.hub.disconnectRoom(1), 1);
    await joined;
    assert.deepEqual(await client.errors(), []);
  });

  it('ends where the bot does not know the user', async t => {
    const site = await startSite(t, { authenticate: () => null });
    const client = await openClient(t, open, site);
    await client.reaches('closed');
    assert.deepEqual(await client.events(), [
      { type: 'error', detail: { error: 'Unauthorized', code: 1008 } },
      { type: 'state', detail: 'closed' },
    ]);
  });
});
