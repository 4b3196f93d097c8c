'use strict';

// Polls and sockets in turn, at random: what the page shows never jumps back, and ends with the newest.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { until } = require('./support/wait');

const ROOMS = [1, 2, 'lobby'];
const TURNS = 14;

/** The same sequence for the same seed, so that a failure can be had again. */
function random(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  it('never jumps back between polls and sockets', async t => {
    const seed = Number(process.env.ROOMCAST_SEED ?? Date.now() % 1_000_000);
    t.diagnostic(`ROOMCAST_SEED=${seed}`);
    const draw = random(seed);
    const site = await startSite(t, { history: 8 });
    const newest = new Map();
    let count = 0;
    const updates = setInterval(() => {
      const id = ROOMS[count % ROOMS.length];
      count += 1;
      site.hub.broadcastRoomUpdate(id, `P${count}`, count, 1_000_000, 'join');
      newest.set(id, count);
    }, 3);
    t.after(() => clearInterval(updates));

    const client = await openClient(t, open, site, {
      options: { poll: { interval: 20 } },
      rooms: ROOMS,
      // Attempts and polls follow each other closely.
      prepare: page =>
        page.evaluate(() => {
          Math.random = () => 0.02;
        }),
    });
    const seen = { polling: 0, live: 0 };
    for (let turn = 0; turn < TURNS; turn++) {
      const state = turn % 2 ? 'live' : 'polling';
      if (turn % 2) site.road.allowUpgrades();
      else site.road.blockUpgrades();
      if (draw() < 0.8) {
        await client.reaches(state);
        seen[state] += 1;
      }
      if (draw() < 0.3) site.road.cut();
      if (turn === TURNS / 2) {
        await site.stop();
        await site.start();
      }
      await new Promise(resolve => setTimeout(resolve, draw() * 300));
    }
    clearInterval(updates);
    site.road.allowUpgrades();
    await client.reaches('live');

    const last = async id => (await client.updates()).filter(({ roomId }) => roomId === id).at(-1);
    for (const id of ROOMS) {
      await until(
        async () => (await last(id)).currentParticipants === newest.get(id),
        async () => `the newest of ${id}`,
      );
      assert.equal((await last(id)).seq, site.hub.getRoomState(id).seq);
    }
    const shown = new Map();
    const latest = new Map();
    for (const update of await client.updates()) {
      // Of a socket only the first of an epoch says which: a count that grows is the order itself.
      const before = latest.get(update.roomId) ?? 0;
      assert.ok(update.currentParticipants > before, `${before}, then ${JSON.stringify(update)}`);
      latest.set(update.roomId, update.currentParticipants);
      shown.set(update.event, (shown.get(update.event) ?? 0) + 1);
    }
    t.diagnostic(`${JSON.stringify(seen)} ${JSON.stringify([...shown])} of ${count}`);
    assert.ok(seen.polling > 0 && seen.live > 0);
  });
});
