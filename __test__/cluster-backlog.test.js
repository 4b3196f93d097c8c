'use strict';

// What waits for Redis while it is away: bounded, of each room the newest, and there in the end.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startFleet } = require('./support/fleet');
const { needsRedis, startRedis } = require('./support/redis');
const { until } = require('./support/wait');
const { untilAllShow, watch } = require('./support/witness');

const ROOMS = 20_000;
const UPDATES = 50_000;
/** Rooms that the backlog keeps something of. */
const KEPT = 10_000;
const BYTES = 2_000;
/** Above what is kept takes, 20 MB and the rooms, and below the 100 MB of all that is sent. */
const MEMORY = 80 * 1024 * 1024;

/** The number of the newest update of a room, sent to all rooms in turn. */
const newestOf = room => room + ROOMS * Math.floor((UPDATES - 1 - room) / ROOMS);

/** The counts of all rooms that Redis knows, by room. */
async function countsInRedis(redis) {
  const script = `
    local found = {}
    for _, key in ipairs(redis.call('KEYS', 'roomcast:room:*:s')) do
      found[#found + 1] = key .. ' ' .. redis.call('HGET', key, 'current')
    end
    return found`;
  const lines = (await redis.cli('EVAL', script, 0)).split('\n').filter(Boolean);
  return new Map(
    lines.map(line => {
      const [, room, current] = /^roomcast:room:\{(\d+)\}:s (\d+)$/.exec(line);
      return [Number(room), Number(current)];
    }),
  );
}

describe('50 000 updates in 20 000 rooms while Redis is away', needsRedis, () => {
  it('leave a bounded backlog, and the newest state of the rooms kept in Redis', async t => {
    const redis = await startRedis(t);
    // Without a history, which holds more of them by itself.
    const [bot] = await startFleet(t, 1, redis, { history: 0 });
    const witness = await watch(bot, ROOMS - 1);
    redis.pause();
    assert.equal(await bot.nextState(), 'away');

    const before = await bot.own('resident');
    const flood = { rooms: ROOMS, updates: UPDATES, bytes: BYTES };
    assert.equal(await bot.own('flood', flood), UPDATES);
    await untilAllShow([witness], newestOf(ROOMS - 1));
    let dropped;
    await until(
      async () => {
        dropped = await bot.sample('cluster_dropped_total');
        return dropped === UPDATES - KEPT;
      },
      () => `${UPDATES - KEPT} dropped updates, there are ${dropped}`,
    );
    const grown = (await bot.own('resident')) - before;
    t.diagnostic(`${(grown / 1024 / 1024).toFixed(1)} MiB more in memory`);
    assert.ok(grown < MEMORY, `${grown} bytes`);

    redis.resume();
    assert.equal(await bot.nextState(), 'up');
    // Of the other rooms at least nothing older than what was said last.
    let counts;
    const kept = Array.from({ length: KEPT }, (_, at) => (UPDATES - KEPT + at) % ROOMS);
    await until(
      async () => {
        counts = await countsInRedis(redis);
        return kept.every(room => counts.get(room) === newestOf(room));
      },
      () => `the newest state of ${KEPT} rooms, there are ${counts.size}`,
    );
    for (const [room, current] of counts) assert.equal(current, newestOf(room), `room ${room}`);
    assert.equal(await bot.sample('cluster_dropped_total'), UPDATES - KEPT);
  });
});
