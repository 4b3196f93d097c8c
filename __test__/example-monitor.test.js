'use strict';

// What the bot tells those who run it.

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { startBot } = require('./support/bot');
const { connect } = require('./support/client');
const { signIn } = require('./support/people');
const { quickDatabases } = require('./support/postgres');
const { share } = require('./support/suite');
const { until } = require('./support/wait');

let bot;
let ada;
share(async file => {
  bot = await startBot(file, { env: await (await quickDatabases(file))() });
  ada = await signIn(bot.address, 'Ada');
});

const monitor = async (since = 0) => (await bot.get(`/api/monitor?since=${since}`)).json();

it('samples the hub and its process once a second', async () => {
  const page = await connect(bot, ada.asClient);
  await page.join(1);
  await ada.join(1);
  await ada.leave(1);
  const samples = await until(async () => {
    const all = (await monitor()).samples;
    const { connections, rooms, memberships } = all.at(-1) ?? {};
    return connections === 1 && rooms === 1 && memberships === 1 && all;
  }, 'a sample with the page');
  assert.deepEqual(Object.keys(samples[0]), [
    'at',
    'connections',
    'rooms',
    'memberships',
    'updatesPerSecond',
    'deliveriesPerSecond',
    'bufferedBytes',
    'slowClients',
    'conflatedPerSecond',
    'threads',
    'loopDelayMs',
    'heapUsed',
    'rss',
  ]);
  for (const { at, threads, loopDelayMs, heapUsed, rss } of samples) {
    assert.ok(Math.abs(at - Date.now()) < 60_000);
    assert.deepEqual(Object.keys(threads[0]), ['connections', 'backlog']);
    const { p50, p99, max } = loopDelayMs;
    assert.ok(p50 >= 0 && p99 >= p50 && max >= p99, JSON.stringify(loopDelayMs));
    assert.ok(rss > heapUsed && heapUsed > 1e6);
  }
  // A rate times its interval, all added up, is what the hub has counted.
  const total = key => samples.reduce((sum, sample) => sum + sample[key], 0);
  assert.ok(total('deliveriesPerSecond') > 1.5, `${total('deliveriesPerSecond')}`);
  assert.ok(total('updatesPerSecond') >= total('deliveriesPerSecond'));
});

it('gives only what is newer than what somebody has', async () => {
  const { intervalMs, samples } = await until(async () => {
    const answer = await monitor();
    return answer.samples.length >= 2 && answer;
  }, 'two samples');
  assert.equal(intervalMs, 1000);
  const newer = (await monitor(samples.at(-2).at)).samples;
  assert.equal(newer[0].at, samples.at(-1).at);
  assert.deepEqual((await monitor(Date.now() + 60_000)).samples, []);
});

it('has metrics for Prometheus, and a page', async () => {
  const metrics = await bot.get('/metrics');
  assert.match(metrics.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  assert.match(await metrics.text(), /^roomcast_connections \d+$/m);
  const page = await bot.get('/monitor');
  assert.match(page.headers.get('content-type'), /^text\/html/);
  for (const name of ['/vendor/uplot/uPlot.esm.js', '/vendor/uplot/uPlot.min.css']) {
    assert.equal((await bot.get(name)).status, 200, name);
  }
});
