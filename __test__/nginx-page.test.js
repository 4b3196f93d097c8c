'use strict';

// The bot's page in a real browser, with TLS, behind the nginx of docs/deploy.md.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { needsBrowser, useBrowser } = require('./support/browser');
const { needsNginx, startNginx } = require('./support/nginx');
const { needsPostgres, startPostgres } = require('./support/postgres');
const { share } = require('./support/suite');
const { freePort, needsRedis, startRedis } = require('./support/redis');
const { visit } = require('./support/visitor');

const needs = { skip: needsNginx.skip || needsBrowser.skip };

const needsBoth = { skip: needsPostgres.skip || needsRedis.skip };

/** The certificate is its own authority, which the browser does not know. */
const TRUSTING = { ignoreHTTPSErrors: true };

describe('the page behind nginx', needs, () => {
  const open = useBrowser();
  let bot;
  share(async suite => {
    bot = await startBot(suite, { env: { TRUST_PROXY: '1' } });
  });

  it('comes over HTTP/2, and is live over wss', async t => {
    const nginx = await startNginx(t, { bots: [bot.port] });
    const page = await open(t, TRUSTING);
    const sockets = [];
    page.on('websocket', socket => sockets.push(socket.url()));
    const ada = await visit(page, nginx.origin, 'Ada');
    const alan = await visit(await open(t, TRUSTING), nginx.origin, 'Alan');

    const protocols = await page.evaluate(() =>
      ['navigation', 'resource'].flatMap(kind =>
        performance.getEntriesByType(kind).map(entry => entry.nextHopProtocol),
      ),
    );
    assert.ok(protocols.length > 3);
    assert.deepEqual([...new Set(protocols)], ['h2']);
    assert.deepEqual(sockets, [`${nginx.origin.replace('https:', 'wss:')}/ws/rooms`]);

    const [cookie] = await page.context().cookies();
    assert.equal(cookie.secure, true);
    assert.equal(cookie.httpOnly, true);

    await alan.join(1);
    await ada.shows(1, 1);
    assert.match((await ada.news())[0], /Alan joined Lobby/);
    assert.doesNotMatch(nginx.complaints, /\[(?:error|crit)\]/);
  });

  it('comes back from a reload of nginx', async t => {
    const changes = [['worker_shutdown_timeout 30s;', 'worker_shutdown_timeout 1s;']];
    const nginx = await startNginx(t, { bots: [bot.port], changes });
    const page = await open(t, TRUSTING);
    const ended = [];
    page.on('websocket', socket => socket.on('close', () => ended.push(socket.url())));
    const ada = await visit(page, nginx.origin, 'Ada');
    const alan = await visit(await open(t, TRUSTING), nginx.origin, 'Alan');

    await nginx.reload();
    await ada.state('live');
    await alan.join(2);
    await ada.shows(2, 1);
    assert.equal(ended.length, 1);
  });

  it('says so while the bot is down, and comes back with it', needsBoth, async t => {
    const postgres = await startPostgres(t);
    const redis = await startRedis(t);
    const env = {
      TRUST_PROXY: '1',
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      SESSION_SECRET: 'the same after the restart',
    };
    const port = await freePort();
    const first = await startBot(t, { port, env });
    assert.equal(first.port, port);
    const nginx = await startNginx(t, { bots: [port] });
    const ada = await visit(await open(t, TRUSTING), nginx.origin, 'Ada');
    await ada.join(1);

    first.kill('SIGTERM');
    await first.exited();
    assert.equal(await ada.state('offline'), 'The server cannot be reached, trying again…');
    assert.equal((await nginx.ask('/')).status, 502);

    await startBot(t, { port, env });
    assert.equal(await ada.state('live'), 'Live');
    await ada.shows(1, 1);
    await ada.leave(1);
    await ada.shows(1, 0);
  });
});
