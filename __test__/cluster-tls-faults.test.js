'use strict';

// Redis behind TLS that breaks, stops, or is not what the URL says it is.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startFleet, startMember } = require('./support/fleet');
const { needsTls, startRedis } = require('./support/redis');
const { Updates } = require('./support/updates');
const {
  assertAgree,
  assertNewest,
  untilAllSaw,
  untilAllShow,
  watch,
} = require('./support/witness');

const ROOM = 1;

describe('rediss://', needsTls, () => {
  it('comes back as redis:// does, from a break and from having been away', async t => {
    const redis = await startRedis(t, { tls: true });
    const bots = await startFleet(t, 2, redis, { env: { SSL_CERT_FILE: redis.authority } });
    const updates = new Updates();
    const witnesses = await Promise.all(bots.map(bot => watch(bot, ROOM)));
    await untilAllSaw(witnesses, await updates.sendSome(bots, ROOM, 4));

    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const names = await updates.sendSome(bots, ROOM, 20);
    await untilAllSaw(witnesses, names);
    assertAgree(witnesses);
    assertNewest(witnesses, names);

    redis.pause();
    for (const bot of bots) assert.equal(await bot.nextState(), 'away');
    for (const bot of bots) await updates.send(bot, ROOM);
    redis.resume();
    for (const bot of bots) assert.equal(await bot.nextState(), 'up');
    await untilAllShow(witnesses, updates.newest(ROOM));
    await untilAllSaw(witnesses, await updates.sendSome(bots, ROOM, 2));
    assertAgree(witnesses);
  });

  it('takes a name as well as an address', async t => {
    const redis = await startRedis(t, { tls: true });
    const url = `rediss://localhost:${redis.port}`;
    await startMember(t, { cluster: { url }, env: { SSL_CERT_FILE: redis.authority } });
  });

  for (const [what, { tls = true, config, urlOf }, reason] of [
    [
      'a certificate of another name',
      {
        config: { bind: '127.0.0.1 127.0.0.2' },
        urlOf: port => `rediss://127.0.0.2:${port}`,
      },
      /certificate/i,
    ],
    ['redis:// where TLS is spoken', { urlOf: port => `redis://127.0.0.1:${port}` }, /\S/],
    [
      'rediss:// where none is spoken',
      { tls: false, urlOf: port => `rediss://127.0.0.1:${port}` },
      /\S/,
    ],
  ]) {
    it(`${what}: away, with the reason`, async t => {
      const redis = await startRedis(t, { tls, config });
      const bot = await startMember(t, {
        cluster: { url: urlOf(redis.port) },
        env: redis.authority && { SSL_CERT_FILE: redis.authority },
        starts: 'away',
      });
      const [line] = bot.log;
      assert.equal(line.level, 'warn');
      const [, where, why] = /^Redis at (\S+) is away \((.*)\):/.exec(line.message);
      assert.match(where, new RegExp(`^127\\.0\\.0\\.[12]:${redis.port}$`));
      assert.match(why, reason);
      t.diagnostic(why);
      const witness = await watch(bot, ROOM);
      await untilAllSaw([witness], await new Updates().send(bot, ROOM));
      assert.deepEqual(bot.errors, []);
      assert.deepEqual(await bot.stop(), { code: 0, signal: null });
    });
  }
});
