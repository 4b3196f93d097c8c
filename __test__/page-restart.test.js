'use strict';

// The page over the end of its bot and the beginning of the next one, which share a PostgreSQL and
// a Redis.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { needsBrowser, useBrowser } = require('./support/browser');
const { signIn } = require('./support/people');
const { needsPostgres, startPostgres } = require('./support/postgres');
const { needsRedis, startRedis } = require('./support/redis');
const { layRoad } = require('./support/road');
const { visit } = require('./support/visitor');

const needs = { skip: needsBrowser.skip || needsPostgres.skip || needsRedis.skip };

const FORGET_ROOMS = `
  for _, key in ipairs(redis.call('KEYS', 'roomcast:*')) do redis.call('DEL', key) end`;

describe('a bot that is killed and comes back', needs, () => {
  const open = useBrowser();

  // Redis keeps the sessions, and the hub's history: an empty one is a new epoch.
  for (const { kept, forget } of [
    { kept: 'to all that it had kept', forget: async () => {} },
    { kept: 'to a hub without history', forget: redis => redis.cli('EVAL', FORGET_ROOMS, '0') },
  ]) {
    it(`${kept}: the pages say so meanwhile, then show the newest state`, async t => {
      const postgres = await startPostgres(t);
      const redis = await startRedis(t);
      const env = {
        DATABASE_URL: postgres.url,
        REDIS_URL: redis.url,
        SESSION_SECRET: 'the same after the restart',
      };
      const first = await startBot(t, { env });
      const road = await layRoad(t, first.port);
      const pages = [
        await visit(await open(t), road.origin, 'Ada'),
        await visit(await open(t), road.origin, 'Alan'),
      ];
      const [ada, alan] = pages;
      await ada.join(1);
      await alan.shows(1, 1);

      first.kill('SIGKILL');
      await first.exited();
      for (const page of pages) {
        assert.equal(await page.state('offline'), 'The server cannot be reached, trying again…');
      }
      await forget(redis);

      // Somebody comes while the pages are not back yet: the road still leads to the old bot.
      const second = await startBot(t, { env });
      const grace = await signIn(second.address, 'Grace');
      assert.equal(await grace.join(1), 200);

      const backAt = Date.now();
      road.leadTo(second.port);
      for (const page of pages) await page.shows(1, 2);
      t.diagnostic(`the newest state ${Date.now() - backAt} ms after the return`);
      for (const page of pages) assert.equal(await page.state('live'), 'Live');

      // Who was in the room is in it, and the pages are as live as before.
      await ada.leave(1);
      await alan.shows(1, 1);
      assert.match((await alan.news())[0], /Ada left Lobby/);
    });
  }
});
