'use strict';

// What the browser's client shows after an interruption: all that it has missed, once, in order.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { until } = require('./support/wait');

const seqs = updates => updates.map(update => update.seq);

/** Cuts the connection, and does something before the client is back. */
async function away(site, client, meanwhile) {
  await client.answered();
  site.road.blockUpgrades();
  await until(() => site.hub.getStats().openConnections === 0, 'the cut');
  meanwhile();
  site.road.allowUpgrades();
}

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  it('is sent what it has missed, once, in order, in every room', async t => {
    const site = await startSite(t);
    site.hub.broadcastParticipantCount('lobby', 1, 50);
    const client = await openClient(t, open, site, { rooms: [1, 'lobby'] });
    await client.updated(1);
    for (let round = 0; round < 3; round++) {
      await away(site, client, () => {
        for (let i = 0; i < 10; i++) {
          site.hub.broadcastRoomUpdate(1, `P${i}`, i, 50, 'join');
          site.hub.broadcastRoomUpdate('lobby', `P${i}`, i, 50, 'leave');
        }
      });
      await client.updated(1 + 20 * (round + 1));
    }
    await client.answered();
    const updates = await client.updates();
    const of = roomId => seqs(updates.filter(update => update.roomId === roomId));
    assert.deepEqual(
      of(1),
      Array.from({ length: 30 }, (_, i) => i + 1),
    );
    assert.deepEqual(
      of('lobby'),
      Array.from({ length: 31 }, (_, i) => i + 1),
    );
  });

  it('is shown the newest where more was missed than the hub holds', async t => {
    const site = await startSite(t, { history: 5 });
    site.hub.broadcastParticipantCount(1, 1, 50);
    const client = await openClient(t, open, site);
    await client.updated(1);
    await away(site, client, () => {
      for (let i = 0; i < 10; i++) site.hub.broadcastRoomUpdate(1, `P${i}`, i, 50, 'join');
    });
    await client.updated(2);
    site.hub.broadcastRoomUpdate(1, 'Last', 11, 50, 'join');
    const updates = await client.updated(3);
    assert.deepEqual(seqs(updates), [1, 11, 12]);
    assert.equal(updates[1].event, 'PARTICIPANT_COUNT_UPDATED');
    assert.equal(updates[1].currentParticipants, 9);
  });

  it('is shown nothing where nothing was missed', async t => {
    const site = await startSite(t);
    site.hub.broadcastParticipantCount(1, 1, 50);
    const client = await openClient(t, open, site);
    await client.updated(1);
    await away(site, client, () => {});
    await client.gets(3, 'state');
    await client.answered();
    assert.equal((await client.updates()).length, 1);
  });

  it('goes over to a new epoch with a hub that has been started anew', async t => {
    const site = await startSite(t);
    for (let i = 0; i < 5; i++) site.hub.broadcastParticipantCount(1, i, 50);
    const client = await openClient(t, open, site);
    const [first] = await client.updated(1);
    assert.equal(first.seq, 5);
    await site.stop();
    await site.start();
    site.hub.broadcastParticipantCount(1, 9, 50);
    const [, snapshot] = await client.updated(2);
    site.hub.broadcastRoomUpdate(1, 'Ada', 10, 50, 'join');
    const [, , joined] = await client.updated(3);
    assert.notEqual(snapshot.epoch, first.epoch);
    assert.deepEqual([snapshot.seq, snapshot.currentParticipants, joined.seq], [1, 9, 2]);
    assert.deepEqual(await client.errors(), []);
  });

  it('goes over to the epoch of a room that was forgotten under its eyes', async t => {
    const site = await startSite(t);
    for (let i = 0; i < 5; i++) site.hub.broadcastParticipantCount(1, i, 50);
    const client = await openClient(t, open, site);
    await client.updated(1);
    site.hub.forgetRoom(1);
    site.hub.broadcastRoomUpdate(1, 'Ada', 6, 50, 'join');
    await client.updated(2);
    await away(site, client, () => site.hub.broadcastRoomUpdate(1, 'Bob', 7, 50, 'join'));
    const updates = await client.updated(3);
    assert.deepEqual(seqs(updates), [5, 1, 2]);
    assert.notEqual(updates[1].epoch, updates[0].epoch);
    assert.equal(updates[2].participantName, 'Bob');
  });
});
