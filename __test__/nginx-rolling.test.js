'use strict';

// Two bots behind the nginx of docs/deploy.md, restarted one after the other while rooms change: as
// under "Rolling restarts" there.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { needsBrowser, useBrowser } = require('./support/browser');
const { needsNginx, startNginx } = require('./support/nginx');
const { needsPostgres, startPostgres } = require('./support/postgres');
const { freePort, needsRedis, startRedis } = require('./support/redis');
const { visit } = require('./support/visitor');
const { until } = require('./support/wait');

const needs = {
  skip: needsNginx.skip || needsBrowser.skip || needsPostgres.skip || needsRedis.skip,
};

/** Sockets beside the page's own, so that both bots have some. */
const WATCHERS = 8;

/** Well below what the history holds in the time in which a page is away. */
const UPDATES_PER_SECOND = 10;

/** Opens clients in the page, in room 1, which note what they are shown. */
const watch = (page, count) =>
  page.evaluate(async watchers => {
    const { RoomClient } = await import('/roomcast/room-client.js');
    window.watchers = Array.from({ length: watchers }, () => {
      const client = new RoomClient({ poll: false });
      const watcher = { client, updates: [], losses: 0 };
      client.addEventListener('update', ({ detail }) => watcher.updates.push(detail));
      client.addEventListener('state', ({ detail }) => {
        if (detail === 'connecting') watcher.losses += 1;
      });
      client.join(1);
      return watcher;
    });
  }, count);

/** What the clients have been shown: `[{ losses, state, updates }]`. */
const shown = page =>
  page.evaluate(() =>
    window.watchers.map(({ client, losses, updates }) => ({
      losses,
      state: client.state,
      updates: updates.map(({ seq, event, currentParticipants }) => ({
        seq,
        event,
        currentParticipants,
      })),
    })),
  );

const allLive = page =>
  until(
    async () => (await shown(page)).every(({ state }) => state === 'live'),
    async () => JSON.stringify(await shown(page)),
  );

/**
 * Somebody who comes and goes, through nginx, until told to stop; gives the answers' statuses, and how
 * often they say that somebody has come or gone.
 */
async function comeAndGo(nginx, signal) {
  const headers = { 'Content-Type': 'application/json' };
  const ask = (route, body) => nginx.ask(route, { method: 'POST', headers, body });
  const session = await ask('/api/session', JSON.stringify({ name: 'Restless' }));
  assert.equal(session.status, 201);
  headers.Cookie = session.headers['set-cookie'][0].split(';')[0];
  const statuses = [];
  let inside = false;
  let changes = 0;
  while (!signal.aborted) {
    const { status, body } = await ask(
      `/api/rooms/1/${statuses.length % 2 ? 'leave' : 'join'}`,
      '{}',
    );
    statuses.push(status);
    if (status === 200) {
      // Whoever leaves after a join that has failed changes nothing.
      const now = JSON.parse(body).inside;
      if (now !== inside) changes += 1;
      inside = now;
    }
    await new Promise(resolve => setTimeout(resolve, 1_000 / UPDATES_PER_SECOND));
  }
  return { changes, statuses };
}

describe('two bots behind nginx', needs, () => {
  const open = useBrowser();

  it('are restarted one after the other, and no page misses an update', async t => {
    const bots = [];
    const postgres = await startPostgres(t);
    const redis = await startRedis(t);
    const env = {
      TRUST_PROXY: '1',
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      SESSION_SECRET: 'the same for both',
    };
    const ports = [await freePort(), await freePort()];
    for (const port of ports) bots.push(await startBot(t, { port, env }));
    const nginx = await startNginx(t, { bots: ports });
    const page = await open(t, { ignoreHTTPSErrors: true });
    const ada = await visit(page, nginx.origin, 'Ada');
    await watch(page, WATCHERS);
    await allLive(page);

    const enough = new AbortController();
    const asked = comeAndGo(nginx, enough.signal);
    for (const [at, port] of ports.entries()) {
      const before = (await shown(page))[0].updates.length;
      const since = Date.now();
      bots[at].kill('SIGTERM');
      assert.deepEqual(await bots[at].exited(), { code: 0, signal: null });
      bots[at] = await startBot(t, { port, env });
      assert.equal(bots[at].port, port);
      t.diagnostic(`bot ${at + 1} restarted within ${Date.now() - since} ms`);
      await allLive(page);
      await until(
        async () => (await shown(page)).every(({ updates }) => updates.length > before + 5),
        'updates after the restart',
      );
    }
    enough.abort();
    const { changes, statuses } = await asked;
    t.diagnostic(`${statuses.length} requests: ${JSON.stringify([...new Set(statuses)])}`);

    const last = async () =>
      JSON.parse(
        await page.evaluate(() => fetch('/api/rooms/1').then(response => response.text())),
      );
    await until(async () => {
      const { seq } = await last();
      return (await shown(page)).every(({ updates }) => updates.at(-1).seq === seq);
    }, 'the newest update in all clients');
    const watchers = await shown(page);
    for (const { updates } of watchers) {
      const from = updates[0].seq;
      assert.deepEqual(
        updates.map(({ seq }) => seq),
        updates.map((_, index) => from + index),
      );
    }
    // Everybody who came or went was told of, also at the moment in which a bot was stopped.
    for (const { updates } of watchers) {
      const told = updates.filter(({ event }) => /^USER_(JOINED|LEFT)$/.test(event)).length;
      assert.ok(told >= changes, `${told} of ${changes} were told`);
    }
    // Each bot has had some of them, and has let them go.
    const losses = watchers.reduce((sum, watcher) => sum + watcher.losses, 0);
    t.diagnostic(`${losses} interruptions, ${watchers[0].updates.length} updates each`);
    assert.ok(losses >= WATCHERS);
    await ada.shows(1, (await last()).currentParticipants);
    assert.equal(await ada.state('live'), 'Live');
  });
});
