'use strict';

// How the bot ends, and what a load balancer is told meanwhile.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { connect } = require('./support/client');
const { signIn } = require('./support/people');
const { quickDatabases } = require('./support/postgres');
const { runProgram } = require('./support/program');
const { freePort } = require('./support/redis');
const { needsSignals } = require('./support/signals');
const { until } = require('./support/wait');
const { share } = require('./support/suite');

let newDatabase;
share(async file => {
  newDatabase = await quickDatabases(file);
});

for (const signals of [['SIGTERM'], ['SIGINT'], ['SIGINT', 'SIGINT']]) {
  it(`tells its pages and ends by itself on ${signals.join(' and ')}`, needsSignals, async t => {
    const bot = await startBot(t, { env: await newDatabase() });
    const person = await signIn(bot.address, 'Ada');
    const page = await connect(bot, person.asClient);
    for (const signal of signals) bot.kill(signal);
    assert.deepEqual(await page.closed, { code: 1001, reason: 'Server shutting down' });
    assert.deepEqual(await bot.exited(), { code: 0, signal: null });
    assert.deepEqual(bot.errors, []);
  });
}

it('ends by itself while neither Redis nor the database is there', needsSignals, async t => {
  const port = await freePort();
  const env = {
    DATABASE_URL: `postgres://bot@127.0.0.1:${port}/bot`,
    REDIS_URL: `redis://127.0.0.1:${port}`,
    SESSION_SECRET: 'secret',
  };
  const bot = await startBot(t, { env });
  assert.equal((await bot.get('/')).status, 200);
  assert.equal((await bot.post('/api/session', { name: 'Ada' })).status, 503);
  bot.kill('SIGTERM');
  assert.deepEqual(await bot.exited(), { code: 0, signal: null });
});

describe('a bot that is given a drain delay', needsSignals, () => {
  it('is out of order for load balancers first, and serves on until it is over', async t => {
    const bot = await startBot(t, { env: { ...(await newDatabase()), DRAIN_DELAY: '1' } });
    const person = await signIn(bot.address, 'Ada');
    const page = await connect(bot, person.asClient);
    assert.equal((await bot.get('/healthz')).status, 200);
    bot.kill('SIGTERM');
    await until(async () => (await bot.get('/healthz')).status === 503, 'a bot that is draining');
    assert.equal(await person.join(1), 200);
    assert.deepEqual(await page.closed, { code: 1001, reason: 'Server shutting down' });
    assert.deepEqual(await bot.exited(), { code: 0, signal: null });
  });
});

describe("a worker of Node's cluster module", needsSignals, () => {
  it('ends by itself too', async t => {
    const { DATABASE_URL = '' } = await newDatabase();
    const program = runProgram(t, 'bot-cluster.js', { DATABASE_URL });
    assert.deepEqual(await program.nextLine(), { running: true });
    assert.deepEqual(await program.nextLine(), { code: 0, signal: null });
  });
});
