'use strict';

// Who is signed in at the bot, and until when: over HTTP and over the WebSocket alike.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { connect, dial } = require('./support/client');
const { signIn } = require('./support/people');
const { quickDatabases } = require('./support/postgres');
const { needsRedis, startRedis } = require('./support/redis');
const { until } = require('./support/wait');
const { share } = require('./support/suite');

/** As express-session signs it: the name of the session in the store. */
const idOf = person => decodeURIComponent(person.cookie.split('=')[1]).slice(2).split('.')[0];

let newDatabase;
share(async file => {
  newDatabase = await quickDatabases(file);
});

const start = async (t, env, options) =>
  startBot(t, { ...options, env: { ...(await newDatabase()), ...env } });

describe('a session', () => {
  let bot;
  share(async suite => {
    bot = await start(suite);
  });

  it('is asked for by everything that concerns a user', async () => {
    const routes = ['/api/session', '/api/rooms', '/api/rooms/1', '/api/rooms/99'];
    const answers = await Promise.all([
      ...routes.map(bot.get),
      ...['join', 'leave'].map(action => bot.post(`/api/rooms/1/${action}`, {})),
    ]);
    for (const answer of answers) {
      assert.equal(answer.status, 401, answer.url);
      assert.deepEqual(await answer.json(), { error: 'Not signed in' });
      assert.equal(answer.headers.get('set-cookie'), null);
    }
    const stranger = dial(bot, { userId: 'somebody' });
    assert.deepEqual(await stranger.closed, { code: 1008, reason: 'Unauthorized' });
  });

  it('starts with a name', async () => {
    const answer = await bot.post('/api/session', { name: '  Ada ' });
    assert.equal(answer.status, 201);
    const [cookie] = answer.headers.getSetCookie();
    assert.match(cookie, /^bot\.sid=s%3A[^;]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
    const { user, expires } = await answer.json();
    assert.equal(user.name, 'Ada');
    assert.match(user.id, /^[0-9a-f-]{36}$/);
    const days = (Date.parse(expires) - Date.now()) / 86_400_000;
    assert.ok(days > 6.9 && days <= 7, expires);

    const ada = { Cookie: cookie.split(';')[0] };
    const again = await fetch(new URL('/api/session', bot.address), { headers: ada });
    assert.deepEqual((await again.json()).user, user);
    const page = await connect(bot, { userId: null, headers: ada });
    assert.equal((await page.join(1)).userId, user.id);
  });

  it('starts with no other than a name of 1 to 40 characters', async () => {
    for (const name of ['', '   ', 'x'.repeat(41), 'a\u0000b', 'two\nlines', 7, null, undefined]) {
      const answer = await bot.post('/api/session', { name });
      assert.equal(answer.status, 400, JSON.stringify(name));
      assert.equal(typeof (await answer.json()).error, 'string');
    }
    assert.equal((await bot.post('/api/session', { name: '👩‍🚀'.repeat(13) })).status, 201);
  });

  it('is not one that somebody else made up', async () => {
    const person = await signIn(bot.address, 'Ada');
    const forged = { Cookie: person.cookie.replace(/.$/, last => (last === 'A' ? 'B' : 'A')) };
    const answer = await fetch(new URL('/api/session', bot.address), { headers: forged });
    assert.equal(answer.status, 401);
    const page = dial(bot, { userId: null, headers: forged });
    assert.equal((await page.closed).reason, 'Unauthorized');
  });

  it('has a new id after every sign-in', async () => {
    const person = await signIn(bot.address, 'Ada');
    const page = await connect(bot, person.asClient);
    await person.join(2);
    const again = await fetch(new URL('/api/session', bot.address), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Cookie: person.cookie },
      body: JSON.stringify({ name: 'Grace' }),
    });
    assert.equal(again.status, 201);
    assert.equal((await person.get('/api/session')).status, 401);
    assert.deepEqual(await page.closed, { code: 1008, reason: 'Signed out' });
    const [cookie] = again.headers.getSetCookie();
    assert.notEqual(cookie.split(';')[0], person.cookie);
    const room = await fetch(new URL('/api/rooms/2', bot.address), { headers: { Cookie: cookie } });
    assert.deepEqual((await room.json()).participants, []);
  });

  it('ends with its rooms and its pages', async () => {
    const [person, other] = await Promise.all(['Ada', 'Alan'].map(n => signIn(bot.address, n)));
    for (const roomId of [3, 4]) await person.join(roomId);
    const watching = await connect(bot, other.asClient);
    for (const roomId of [3, 4]) {
      await watching.join(roomId);
      await watching.nextMessage();
    }
    const page = await connect(bot, person.asClient);

    const end = () =>
      fetch(new URL('/api/session', bot.address), {
        method: 'DELETE',
        headers: { Cookie: person.cookie },
      });
    const ended = await end();
    assert.equal(ended.status, 204);
    assert.match(ended.headers.getSetCookie()[0], /^bot\.sid=; Path=\/; Expires=Thu, 01 Jan 1970/);
    assert.deepEqual(await page.closed, { code: 1008, reason: 'Signed out' });
    for (const roomId of [3, 4]) {
      const update = await watching.nextMessage();
      assert.equal(update.roomId, roomId);
      assert.equal(update.event, 'USER_LEFT');
      assert.equal(update.currentParticipants, 0);
    }
    assert.equal((await person.get('/api/session')).status, 401);
    assert.equal((await end()).status, 204);
  });

  it('has a cookie that stays on https where a trusted proxy says that it is https', async t => {
    const behind = await start(t, { TRUST_PROXY: '1' });
    const answer = await fetch(new URL('/api/session', behind.address), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-Proto': 'https' },
      body: JSON.stringify({ name: 'Ada' }),
    });
    assert.match(answer.headers.getSetCookie()[0], /; Secure/);
  });
});

/** What the end of a session does, whatever store it is in. */
async function expires(t, env) {
  const bot = await start(t, { SESSION_TTL: '2', ...env });
  const person = await signIn(bot.address, 'Ada');
  const page = await connect(bot, person.asClient);
  await person.join(1);
  // Requests do not move the end: it is the same for cookie, store and WebSocket.
  const asking = until(
    async () => (await person.get('/api/rooms/1')).status === 401,
    'the end of the session',
  );
  assert.deepEqual(await page.closed, { code: 1008, reason: 'Session expired' });
  await asking;
  const late = dial(bot, person.asClient);
  assert.deepEqual(await late.closed, { code: 1008, reason: 'Unauthorized' });

  const other = await signIn(bot.address, 'Alan');
  await until(
    async () => (await (await other.get('/api/rooms/1')).json()).currentParticipants === 0,
    'the room without who has not said goodbye',
  );
}

describe('the end of a session', { concurrency: true }, () => {
  it('ends its pages and its place in rooms', t => expires(t, { DATABASE_URL: '' }));

  it('does so in Redis too', needsRedis, async t => {
    const redis = await startRedis(t);
    await expires(t, { REDIS_URL: redis.url, SESSION_SECRET: 'secret' });
    await until(
      async () => (await redis.cli('--scan', '--pattern', 'bot:session:*')) === '',
      'a Redis without sessions',
    );
  });
});

describe('sessions in Redis', needsRedis, () => {
  it('survive the bot, under a prefix of their own', async t => {
    const redis = await startRedis(t);
    const env = { REDIS_URL: redis.url, SESSION_SECRET: 'secret' };
    const first = await start(t, env);
    const person = await signIn(first.address, 'Ada');
    assert.equal(
      await redis.cli('--scan', '--pattern', 'bot:session:*'),
      `bot:session:${idOf(person)}`,
    );
    const ttl = Number(await redis.cli('TTL', `bot:session:${idOf(person)}`));
    assert.ok(ttl > 7 * 86_400 - 60 && ttl <= 7 * 86_400, `${ttl} s`);
    first.kill('SIGTERM');
    assert.deepEqual(await first.exited(), { code: 0, signal: null });

    const second = await start(t, env, { port: first.port });
    assert.equal(second.address, first.address);
    const session = await person.get('/api/session');
    assert.equal((await session.json()).user.name, 'Ada');
    const page = await connect(second, person.asClient);
    await page.join(1);
  });

  it('are not there while Redis is away, at the start or later, and come back', async t => {
    const redis = await startRedis(t);
    await redis.stop();
    const bot = await start(t, { REDIS_URL: redis.url });
    assert.equal(bot.errors[0], 'SESSION_SECRET is not set: sessions end with this process.');
    const ask = () => bot.post('/api/session', { name: 'Ada' });

    const refused = await ask();
    assert.equal(refused.status, 503);
    assert.deepEqual(await refused.json(), { error: 'Sessions cannot be looked up' });
    assert.equal((await bot.get('/')).status, 200);
    assert.equal((await bot.get('/healthz')).status, 200);

    await redis.restart();
    await until(async () => (await ask()).status === 201, 'Redis in use again');
    const person = await signIn(bot.address, 'Ada');
    const page = await connect(bot, person.asClient);
    await redis.stop();
    await until(async () => (await person.get('/api/rooms')).status === 503, 'Redis missed');
    const later = dial(bot, person.asClient);
    assert.deepEqual(await later.closed, { code: 1013, reason: 'Try again later' });
    // Who is connected stays so.
    await page.settle();
    await redis.restart();
    await until(async () => (await ask()).status === 201, 'Redis in use again');
    bot.kill('SIGTERM');
    assert.deepEqual(await bot.exited(), { code: 0, signal: null });
  });

  it('are not waited for where Redis is there but does not answer', async t => {
    const redis = await startRedis(t);
    const bot = await start(t, { REDIS_URL: redis.url, SESSION_SECRET: 'secret' });
    const person = await signIn(bot.address, 'Ada');
    redis.pause();
    assert.equal((await person.get('/api/session')).status, 503);
    redis.resume();
    await until(async () => (await person.get('/api/session')).status === 200, 'an answer');
  });
});
