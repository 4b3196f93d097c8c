'use strict';

// One of several bots that cannot reach Redis, while the others go on.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startFleet, untilCounted } = require('./support/fleet');
const { needsRedis, startRedis } = require('./support/redis');
const { Updates } = require('./support/updates');
const { until } = require('./support/wait');
const {
  assertAgree,
  assertFaultless,
  assertNewest,
  untilAllSaw,
  untilAllShow,
  watch,
} = require('./support/witness');
const { layWire } = require('./support/wire');

const ROOM = 1;

describe('a bot that cannot reach Redis', needsRedis, () => {
  for (const [which, newestOf] of [
    ['older than', ([, second]) => second],
    ['newer than', ([first]) => first],
  ]) {
    it(`comes back with what is ${which} what the others said meanwhile`, async t => {
      const redis = await startRedis(t);
      const wire = await layWire(t, redis);
      const [cut] = await startFleet(t, 1, wire);
      const others = await startFleet(t, 2, redis);
      const bots = [cut, ...others];
      const updates = new Updates();
      const witnesses = await Promise.all(bots.map(bot => watch(bot, ROOM)));
      const [alone, ...together] = witnesses;
      await untilAllSaw(witnesses, await updates.sendSome(bots, ROOM, 9));
      const { epoch } = alone;

      updates.start(bots, [ROOM]);
      wire.deafen();
      assert.equal(await cut.nextState(), 'away');
      await until(
        () => alone.epoch !== epoch,
        () => `a local epoch in place of ${epoch}`,
      );
      const held = together[0].names.length;
      await until(() => together[0].names.length > held + 64, 'more than the history holds');
      await updates.stop();
      // It is Redis that puts updates of several bots in order: now the newest is known.
      for (const bot of others) await untilAllSaw(together, await updates.send(bot, ROOM));
      await updates.send(newestOf(bots), ROOM);
      wire.cut();
      assert.equal(await cut.nextState(), 'up');

      await untilAllShow(witnesses, updates.newest(ROOM));
      await until(
        () => alone.epoch === epoch,
        () => `the epoch ${epoch} in place of ${alone.epoch}`,
      );
      assertAgree(witnesses);
      const names = await updates.sendSome(bots, ROOM, 9);
      await untilAllSaw(witnesses, names);
      assertAgree(witnesses);
      assertNewest(witnesses, names);
      assert.deepEqual(together[0].names, together[1].names);
      for (const bot of others) assert.deepEqual(bot.states, ['up']);
      for (const { turns } of together) assert.equal(turns.length, 1, 'their numbers never broke');
      for (const bot of bots) await untilCounted(bot, ROOM, bots.length);
    });
  }
});

describe('a Redis that is made a replica for a while', needsRedis, () => {
  it('is away with the reason, and then empty', async t => {
    const redis = await startRedis(t);
    const master = await startRedis(t, { config: { 'repl-diskless-sync-delay': 0 } });
    const bots = await startFleet(t, 2, redis);
    const updates = new Updates();
    const witnesses = await Promise.all(bots.map(bot => watch(bot, ROOM)));
    await untilAllSaw(witnesses, await updates.sendSome(bots, ROOM, 4));
    const { epoch } = witnesses[0];
    await redis.cli('REPLICAOF', '127.0.0.1', master.port);
    await until(
      async () => (await redis.cli('INFO', 'replication')).includes('master_link_status:up'),
      'the store of its master',
    );
    for (const bot of bots) await updates.send(bot, ROOM);
    for (const bot of bots) assert.equal(await bot.nextState(), 'away');
    for (const bot of bots) {
      const [line] = bot.log.filter(({ level }) => level === 'warn');
      assert.match(line.message, /read.?only/i);
    }
    await updates.send(bots[1], ROOM);
    await redis.cli('REPLICAOF', 'NO', 'ONE');
    for (const bot of bots) assert.equal(await bot.nextState(), 'up');
    await untilAllShow(witnesses, updates.newest(ROOM));
    await untilAllSaw(witnesses, await updates.sendSome(bots, ROOM, 4));
    assertAgree(witnesses);
    assertFaultless(witnesses);
    assert.notEqual(witnesses[0].epoch, epoch);
  });
});
