'use strict';

// What breaks and is mended before anybody could notice: connections to Redis that are cut under
// way, and a process that is gone in the middle of its updates.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setTimeout: passed } = require('node:timers/promises');
const { startFleet } = require('./support/fleet');
const { needsRedis, startRedis } = require('./support/redis');
const { Updates } = require('./support/updates');
const { until } = require('./support/wait');
const { layWire } = require('./support/wire');
const { assertAgree, assertNewest, untilAllSaw, watch } = require('./support/witness');

const ROOM = 1;
const OTHER = 'other';

/** Witnesses of a flood are slow, and may be. */
const PATIENT = { maxBufferedBytes: 2 ** 30, slowTimeout: 600_000 };

const ATTEMPTS = 4;
const BREAKS = 12;
/** Two breaks are so far apart that some are done before and some while the hubs connect again. */
const APART_MS = [0, 30, 150, 400];

// A hub has one connection, which counts as of this type as soon as it listens.
const CUT = [
  ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
  ['CLIENT', 'KILL', 'TYPE', 'normal'],
];

/**
 * Has Redis do this again and again under updates of two bots. False where one of the bots has been away
 * meanwhile; otherwise nothing was lost and nothing came twice.
 */
async function goesOnUnder(t, commands, history) {
  const redis = await startRedis(t);
  const bots = await startFleet(t, 2, redis, { history });
  const updates = new Updates();
  const all = new Map();
  for (const roomId of [ROOM, OTHER]) {
    const witnesses = await Promise.all(bots.map(bot => watch(bot, roomId)));
    all.set(roomId, witnesses);
    await untilAllSaw(witnesses, await updates.sendSome(bots, roomId, 10));
  }
  const epochs = [...all.values()].map(([{ epoch }]) => epoch);

  updates.start(bots, [ROOM, OTHER]);
  for (let count = 0; count < BREAKS; count += 1) {
    for (const command of commands) await redis.cli(...command);
    await passed(APART_MS[count % APART_MS.length]);
  }
  await updates.stop();
  for (const [roomId, witnesses] of all) {
    // Of each bot the last, behind which there is nothing.
    await untilAllSaw(witnesses, await updates.sendSome(bots, roomId, bots.length));
  }
  if (bots.some(({ states }) => states.includes('away'))) return false;
  for (const [roomId, witnesses] of all) {
    assertAgree(witnesses);
    const sent = updates.names.get(roomId);
    for (const { names, seq } of witnesses) {
      assert.equal(seq, sent.length);
      // Without a history the state is there in place of what was missed.
      if (history > 0) assert.deepEqual([...names].sort(), [...sent].sort());
    }
    if (history > 0) assert.deepEqual(witnesses[0].names, witnesses[1].names);
  }
  assert.deepEqual(
    [...all.values()].map(([{ epoch }]) => epoch),
    epochs,
  );
  for (const bot of bots) {
    assert.deepEqual(bot.states, ['up']);
    assert.ok((await bot.sample('cluster_reconnects_total')) >= 1);
    assert.equal(await bot.sample('cluster_dropped_total'), 0);
  }
  t.diagnostic(`${updates.sent} updates`);
  return true;
}

/** As `heard` of a wire: what a node says on which a room is, and then is no more, before that has been read. */
function movesAway(roomId) {
  const channel = `roomcast:room:{${roomId}}`;
  const name = `$${channel.length}\r\n${channel}\r\n`;
  let held = null;
  let moved = false;
  return (bytes, redis) => {
    if (!moved && bytes.includes(`ssubscribe\r\n${name}`)) {
      moved = true;
      held = [];
      redis.write(`*2\r\n$12\r\nSUNSUBSCRIBE\r\n${name}`);
    }
    if (!held) return bytes;
    held.push(bytes);
    const all = Buffer.concat(held);
    if (!all.includes(`sunsubscribe\r\n${name}`)) return Buffer.alloc(0);
    held = null;
    return all;
  };
}

describe('a Redis that does this again and again', needsRedis, () => {
  for (const [what, commands, history] of [
    ['cuts the connections', CUT, 64],
    // What may have come already is known without what clients can be recovered from.
    ['cuts the connections, where no history is kept', CUT, 0],
    ['forgets its scripts', [['SCRIPT', 'FLUSH']], 64],
  ]) {
    it(`${what}: no update is lost, and none comes twice`, async t => {
      // On a machine that is busy with other things a break may last longer than Redis has to answer,
      // which is another test's concern.
      for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
        if (await goesOnUnder(t, commands, history)) return;
        t.diagnostic('a break of more than 1 s: once more');
      }
      assert.fail(`away in each of ${ATTEMPTS} attempts`);
    });
  }

  it('cuts the connections before a room has its first update: members miss none of it', async t => {
    const redis = await startRedis(t);
    const bots = await startFleet(t, 2, redis);
    const [near, far] = bots;
    const updates = new Updates();
    const witnesses = await Promise.all(bots.map(bot => watch(bot, ROOM)));
    const wire = await layWire(t, redis);
    const [cut] = await startFleet(t, 1, wire);
    witnesses.push(await watch(cut, ROOM));
    wire.deafen();
    const names = await updates.sendSome([near, far], ROOM, 5);
    await untilAllSaw(witnesses.slice(0, 2), names);
    wire.cut();
    await untilAllSaw(witnesses, names);
    assertAgree(witnesses);
    assertNewest(witnesses, names);
  });
});

describe('a room that moves to another node at once after it was subscribed', needsRedis, () => {
  it('is subscribed again', async t => {
    const redis = await startRedis(t);
    const [other] = await startFleet(t, 1, redis);
    const [near] = await startFleet(t, 1, await layWire(t, redis, { heard: movesAway(ROOM) }));
    const witnesses = await Promise.all([near, other].map(bot => watch(bot, ROOM)));
    await untilAllSaw(witnesses, await new Updates().send(other, ROOM));
    assertAgree(witnesses);
  });
});

describe('a connection that is cut between a call and its answer', needsRedis, () => {
  for (const history of [0, 64]) {
    it(`has done what it was to do, and does it once, with a history of ${history}`, async t => {
      const redis = await startRedis(t);
      const wire = await layWire(t, redis);
      const [near] = await startFleet(t, 1, wire, { history });
      const [other] = await startFleet(t, 1, redis, { history });
      const bots = [near, other];
      const updates = new Updates();
      const witnesses = await Promise.all(bots.map(bot => watch(bot, ROOM)));
      await untilAllSaw(witnesses, await updates.send(near, ROOM));
      const { epoch } = witnesses[0];
      const seq = async () => Number(await redis.cli('HGET', `roomcast:room:{${ROOM}}:s`, 'seq'));
      const calls = (name, count) =>
        Array.from({ length: count }, (_, at) => [ROOM, `${name}${at}`, at, 99, 'join']);

      for (let round = 0; round < 5; round += 1) {
        const before = await seq();
        wire.deafen();
        await near.callEach('broadcastRoomUpdate', calls(`near ${round}-`, 20));
        await until(async () => (await seq()) > before, 'the first of them in Redis');
        // More than Redis keeps: what stands in its history is no proof of what has come.
        await other.callEach('broadcastRoomUpdate', calls(`other ${round}-`, 100));
        await untilAllSaw([witnesses[1]], `other ${round}-99`);
        wire.cut();
        await untilAllSaw(witnesses, await updates.send(near, ROOM));
      }
      assertAgree(witnesses);
      assert.equal(witnesses[0].epoch, epoch);
      assert.equal(witnesses[1].names.length, updates.sent + 5 * 120);
      assert.equal(witnesses[1].seq, witnesses[1].names.length);
      for (const bot of bots) assert.deepEqual(bot.states, ['up'], JSON.stringify(bot.log));
    });
  }
});

describe('connections that are cut under a flood', needsRedis, () => {
  const BETWEEN_CUTS_MS = 50;
  const ROUNDS = 200;
  const EACH = 50;
  const APART = 5;

  it('cost what is counted as dropped, and nothing comes twice', async t => {
    const redis = await startRedis(t);
    // Long enough for all that comes in a break: nothing is missed.
    const history = 2 * ROUNDS * EACH;
    const bots = await startFleet(t, 2, redis, { history, ...PATIENT });
    const witnesses = await Promise.all(bots.map(bot => watch(bot, ROOM)));
    let flooding = true;
    const floods = bots.map(async (bot, at) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const names = Array.from({ length: EACH }, (_, n) => `${at}-${round * EACH + n}`);
        const calls = names.map(name => [ROOM, name, 1, 9, 'join']);
        await bot.callEach('broadcastRoomUpdate', calls);
        await passed(APART);
      }
    });
    const cutting = (async () => {
      let cuts = 0;
      for (; flooding; cuts += 1) {
        await passed(BETWEEN_CUTS_MS);
        for (const command of CUT) await redis.cli(...command);
      }
      return cuts;
    })();
    await Promise.all(floods);
    flooding = false;
    const cuts = await cutting;
    for (const [at, bot] of bots.entries()) {
      await bot.call('broadcastRoomUpdate', ROOM, `last of ${at}`, 2, 9, 'join');
      await untilAllSaw(witnesses, `last of ${at}`);
    }

    assertAgree(witnesses);
    assert.deepEqual(witnesses[0].names, witnesses[1].names);
    const seen = witnesses[0].names.filter(name => !name.startsWith('last'));
    for (const at of bots.keys()) {
      const numbers = seen.filter(name => name.startsWith(`${at}-`)).map(name => +name.slice(2));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
        'in the order of the calls',
      );
    }
    let dropped = 0;
    for (const bot of bots) {
      dropped += await bot.sample('cluster_dropped_total');
      assert.deepEqual(bot.states, ['up']);
    }
    const sent = bots.length * ROUNDS * EACH;
    t.diagnostic(`${sent} updates, ${cuts} cuts, ${dropped} dropped`);
    assert.equal(seen.length, sent - dropped);
  });
});

describe('a bot that is killed while it broadcasts', needsRedis, () => {
  it('leaves the others in one sequence', async t => {
    const redis = await startRedis(t);
    const bots = await startFleet(t, 3, redis, PATIENT);
    const [doomed, ...others] = bots;
    const updates = new Updates();
    const witnesses = await Promise.all(others.map(bot => watch(bot, ROOM)));
    await watch(doomed, ROOM);
    // Not so many that they would be conflated on their way to Redis.
    const many = Array.from({ length: 4_000 }, (_, at) => [ROOM, `D${at}`, 0, 9, 'join']);
    const broadcast = doomed.callEach('broadcastRoomUpdate', many);
    broadcast.catch(() => {});
    await until(() => witnesses[0].names.length > 0, 'the first of its updates');
    assert.deepEqual(await doomed.kill(), { code: null, signal: 'SIGKILL' });

    const names = await updates.sendSome(others, ROOM, 20);
    await untilAllSaw(witnesses, names);
    assertAgree(witnesses);
    assertNewest(witnesses, names);
    assert.deepEqual(witnesses[0].names, witnesses[1].names);
    const ofDoomed = witnesses[0].names.slice(0, -names.length);
    t.diagnostic(`${ofDoomed.length} of its ${many.length} updates had left it`);
    assert.deepEqual(
      ofDoomed,
      ofDoomed.map((_, at) => `D${at}`),
      'in the order in which it sent them, and up to one',
    );
    for (const bot of others) assert.deepEqual(bot.states, ['up']);
  });
});
