'use strict';

// Redis that comes back as another run of itself, with nothing or with what it had kept: the
// sequence may have been broken either way, so it is a new epoch.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { startFleet, untilCounted } = require('./support/fleet');
const { needsRedis, startRedis } = require('./support/redis');
const { Updates } = require('./support/updates');
const { until } = require('./support/wait');
const {
  assertAgree,
  assertNewest,
  untilAllSaw,
  untilAllShow,
  watch,
} = require('./support/witness');

const ROOM = 1;
/** Has members in both processes, and no update while Redis is away. */
const QUIET = 'quiet';

/** Two bots, three witnesses of ROOM and two of QUIET, which have seen some updates. */
async function inStep(t, redis) {
  const bots = await startFleet(t, 2, redis);
  const updates = new Updates();
  const witnesses = await Promise.all([bots[0], bots[1], bots[1]].map(bot => watch(bot, ROOM)));
  const quiet = await Promise.all(bots.map(bot => watch(bot, QUIET)));
  for (const [seeing, roomId] of [
    [quiet, QUIET],
    [witnesses, ROOM],
  ]) {
    await untilAllSaw(seeing, await updates.sendSome(bots, roomId, 10));
    // It is Redis that puts updates of several bots in order: now the newest is known.
    await untilAllSaw(seeing, await updates.send(bots[0], roomId));
  }
  return { bots, updates, witnesses, quiet };
}

const allTold = async (bots, state) => {
  for (const told of await Promise.all(bots.map(bot => bot.nextState()))) {
    assert.equal(told, state);
  }
};

const inOneEpoch = witnesses =>
  until(
    () => witnesses.every(({ epoch }) => epoch === witnesses[0].epoch),
    () => `one epoch: ${witnesses.map(({ epoch }) => epoch)}`,
  );

/** What has to hold once Redis is back as another run. */
async function assertNewEpoch({ bots, updates, witnesses, quiet }, old) {
  await untilAllShow(witnesses, updates.newest(ROOM));
  await inOneEpoch(witnesses);
  assertAgree(witnesses);
  await inOneEpoch(quiet);
  await untilAllShow(quiet, updates.newest(QUIET));
  assertAgree(quiet);
  assert.notEqual(witnesses[0].epoch, old.epoch);
  assert.notEqual(quiet[0].epoch, old.quietEpoch);

  const { seq } = witnesses[0];
  const names = await updates.sendSome(bots, ROOM, 10);
  await untilAllSaw(witnesses, names);
  assertAgree(witnesses);
  assert.equal(witnesses[0].seq, seq + names.length);

  // Who comes back with what it saw before gets the state, not a replay of other numbers.
  for (const bot of bots) {
    const fields = { epoch: old.epoch, lastSeq: old.seq };
    const back = await watch(bot, ROOM, { userId: 'back', ...fields });
    const { recovered, epoch } = back.joins[0];
    assert.deepEqual({ recovered, epoch }, { recovered: false, epoch: witnesses[0].epoch });
    await untilAllShow([back], witnesses[0].current);
    assert.deepEqual(
      back.turns.map(({ kind }) => kind),
      ['snapshot'],
    );
    assertAgree([back, ...witnesses]);
  }
  // And who comes back with the new epoch is recovered, on either process.
  for (const bot of bots) {
    const fields = { epoch: witnesses[0].epoch, lastSeq: seq };
    const back = await watch(bot, ROOM, { userId: 'recovered', ...fields });
    assert.equal(back.joins[0].recovered, true);
    await untilAllSaw([back], names);
    assertNewest([back, ...witnesses], names);
  }
}

const standing = ({ witnesses, quiet }) => ({
  epoch: witnesses[0].epoch,
  seq: witnesses[0].seq,
  quietEpoch: quiet[0].epoch,
});

describe('Redis restarted', needsRedis, () => {
  it('empty: rooms, counts and orders are there again', async t => {
    const redis = await startRedis(t);
    const all = await inStep(t, redis);
    const { bots, updates, witnesses } = all;
    const [first, second] = bots;
    const old = standing(all);
    const user = await connect(second, { userId: 'barred' });
    await user.join(ROOM);
    const stayer = await connect(second, { userId: 'stays' });
    await stayer.join('else');
    await untilCounted(first, ROOM, 4);

    await redis.stop();
    await allTold(bots, 'away');
    await updates.sendSome(bots, ROOM, 6);
    assert.equal(await first.call('disconnectUser', 'barred'), 0, 'it is in the other process');
    assert.equal(await first.call('removeFromRoom', 'stays', 'else'), 0);
    assert.equal(user.ws.readyState, user.ws.OPEN);

    const from = Date.now();
    await redis.restart();
    await allTold(bots, 'up');
    assert.deepEqual(await user.closed, { code: 1008, reason: 'Disconnected' });
    assert.equal((await stayer.nextMessage()).type, 'ROOM_LEFT');
    await untilAllShow(witnesses, updates.newest(ROOM));
    t.diagnostic(`the newest state ${Date.now() - from} ms after the start of Redis`);
    await assertNewEpoch(all, old);
    // Three witnesses, and two times two of those that came back.
    for (const bot of bots) await untilCounted(bot, ROOM, 7);
    for (const bot of bots) await untilCounted(bot, 'else', 0);
    for (const bot of bots) await untilCounted(bot, QUIET, 2);
  });

  it('before anybody took it for away: the same', async t => {
    const redis = await startRedis(t);
    const all = await inStep(t, redis);
    const old = standing(all);
    await redis.restart();
    await untilAllShow(all.witnesses, all.updates.newest(ROOM));
    await until(() => all.witnesses.every(({ epoch }) => epoch !== old.epoch), 'a new epoch');
    await assertNewEpoch(all, old);
  });

  it('with what it had kept: a new epoch, since nobody knows whether it had kept all', async t => {
    const redis = await startRedis(t, { config: { appendonly: 'yes', appendfsync: 'always' } });
    const all = await inStep(t, redis);
    const { bots, updates } = all;
    const old = standing(all);
    await redis.stop();
    await allTold(bots, 'away');
    await updates.sendSome(bots, ROOM, 6);
    await redis.restart();
    await allTold(bots, 'up');
    await assertNewEpoch(all, old);
  });

  it('emptied under way by FLUSHALL: the same as restarted, with the next update', async t => {
    const redis = await startRedis(t);
    const all = await inStep(t, redis);
    const old = standing(all);
    await redis.cli('FLUSHALL');
    const name = await all.updates.send(all.bots[0], ROOM);
    await untilAllSaw(all.witnesses, name);
    assertAgree(all.witnesses);
    assert.notEqual(all.witnesses[0].epoch, old.epoch);
    for (const bot of all.bots) assert.deepEqual(bot.states, ['up']);
  });

  it('again and again, under updates: all agree in the end', async t => {
    const redis = await startRedis(t);
    const { bots, updates, witnesses } = await inStep(t, redis);
    updates.start(bots, [ROOM]);
    for (let count = 0; count < 5; count += 1) {
      const { epoch } = witnesses[0];
      await redis.restart();
      await until(() => witnesses.every(witness => witness.epoch !== epoch), 'another epoch');
    }
    await updates.stop();
    // Of each bot the last, behind which there is nothing.
    await untilAllSaw(witnesses, await updates.sendSome(bots, ROOM, bots.length));
    const stands = witnesses.map(({ epoch, seq, current }) => ({ epoch, seq, current }));
    for (const stand of stands) assert.deepEqual(stand, stands[0]);
    // What Redis had told others and not yet its sender when it died comes again, in the new epoch.
    for (const { faults } of witnesses) assert.deepEqual(faults, []);
  });
});
