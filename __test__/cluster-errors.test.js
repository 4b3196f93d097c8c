'use strict';

// A Redis that does not let the hub in, or that is too old: one clear error, no word of the password,
// and a hub that serves its clients alone until that is put right.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { inspect } = require('node:util');
const { connect } = require('./support/client');
const { oldRedis } = require('./support/old-redis');
const { Redis, needsRedis, startRedis } = require('./support/redis');
const { startServer } = require('./support/server');
const { until } = require('./support/wait');

const ROOM = 1;

/** Every kind of character that a URL, a log or RESP might make something else of. */
const PASSWORD = 'S3cret:/?#[]@!$&\'()*+,;=%41 "\\é~end';
/** What none of it may show: the password as it is and as a URL has it, and its parts. */
const SHOWN = [PASSWORD, encodeURIComponent(PASSWORD), 'S3cret', 'Wr0ng', '~end'];

const urlOf = (redis, user, password) =>
  `redis://${user}:${encodeURIComponent(password)}@127.0.0.1:${redis.port}`;

/**
 * A hub in this process that tells all it says: `states`, `errors`, and the lines of its log. At the
 * end of the test none of it may hold the password.
 */
async function startTelling(t, url) {
  const told = { states: [], errors: [] };
  // Listeners that are added in the same turn miss nothing; the form that has no listen to await.
  const server = await startServer(t, { form: 'standalone', cluster: { url } });
  server.hub.on('cluster', state => told.states.push(state));
  server.hub.on('error', error => told.errors.push(error));
  t.after(() => {
    const all = inspect([told, server.log, server.hub, server.hub.metrics()], {
      depth: 9,
      showHidden: true,
    });
    for (const part of SHOWN) assert.equal(all.includes(part), false, all);
  });
  return { ...server, told };
}

/** A client of this process is served, whatever the cluster does. */
async function assertServes(server) {
  const client = await connect(server);
  await client.join(ROOM);
  const counts = { currentParticipants: 5, maxParticipants: 9 };
  assert.equal(server.hub.broadcastRoomUpdate(ROOM, { event: 'NEWS', ...counts }), true);
  await until(() => client.received.some(text => text.includes('"event":"NEWS"')), 'the update');
  client.terminate();
}

/**
 * The hub says `code` once, is away, and goes on serving; once `mend` has been called it connects by
 * itself.
 */
async function refusedUntil(server, code, pattern, mend) {
  const { told } = server;
  await until(() => told.errors.length > 0, 'an error');
  const [error] = told.errors;
  assert.ok(error instanceof Error);
  assert.equal(error.code, code);
  assert.match(error.message, pattern);
  await until(() => told.states.length > 0, 'a state');
  assert.deepEqual(told.states, ['away']);
  await assertServes(server);
  // It keeps trying meanwhile, and has nothing new to say.
  await mend();
  await untilUp(server);
  assert.deepEqual(told.states, ['away', 'up']);
  assert.equal(told.errors.length, 1, inspect(told.errors));
  await assertServes(server);
  return error;
}

const untilUp = ({ told }) =>
  until(
    () => told.states.at(-1) === 'up',
    () => `up: ${inspect(told)}`,
  );

/** Attempts to log in that Redis has refused. */
const refusals = async redis => {
  const [, count] = (await redis.cli('ACL', 'LOG', 1)).split('\n');
  return Number(count);
};

/** Waits for so many more attempts. */
async function triedAgain(redis, count) {
  const before = await refusals(redis);
  await until(async () => (await refusals(redis)) >= before + count, 'further attempts');
}

// Each waits for most of its time until the hub tries again.
const sideBySide = { ...needsRedis, concurrency: true };

describe('a password', sideBySide, () => {
  it('of any characters is taken from the URL', async t => {
    const redis = await startRedis(t, { password: PASSWORD });
    const server = await startTelling(t, redis.url);
    await untilUp(server);
    await assertServes(server);
    assert.deepEqual(server.told.errors, []);
    assert.deepEqual(server.log, []);
  });

  it('that is wrong is told once, and the right one is found when Redis has it', async t => {
    const redis = await startRedis(t, { password: 'Wr0ng~of-the-server' });
    const server = await startTelling(t, urlOf(redis, '', PASSWORD));
    await refusedUntil(server, 'CLUSTER_AUTH', /password/, async () => {
      await triedAgain(redis, 2);
      await redis.cli('CONFIG', 'SET', 'requirepass', PASSWORD);
      redis.password = PASSWORD;
    });
  });

  it('that is missing is told once', async t => {
    const redis = await startRedis(t, { password: PASSWORD });
    const server = await startTelling(t, `redis://127.0.0.1:${redis.port}`);
    await refusedUntil(server, 'CLUSTER_AUTH', /password/, async () => {
      await redis.cli('CONFIG', 'SET', 'requirepass', '');
      redis.password = undefined;
    });
  });

  it('that Redis has no use for is told once', async t => {
    const redis = await startRedis(t);
    const server = await startTelling(t, urlOf(redis, 'bot', PASSWORD));
    await refusedUntil(server, 'CLUSTER_AUTH', /password|user/, () =>
      redis.cli('ACL', 'SETUSER', 'bot', 'on', `>${PASSWORD}`, '~*', '&*', '+@all'),
    );
  });

  it('that is changed under way: the hub notices when it has to connect again', async t => {
    const redis = await startRedis(t, { password: PASSWORD });
    const server = await startTelling(t, redis.url);
    await untilUp(server);
    await redis.cli('CONFIG', 'SET', 'requirepass', 'Wr0ng~now');
    redis.password = 'Wr0ng~now';
    for (const type of ['pubsub', 'normal']) await redis.cli('CLIENT', 'KILL', 'TYPE', type);
    await until(() => server.told.errors.length > 0, 'an error');
    assert.equal(server.told.errors[0].code, 'CLUSTER_AUTH');
    await until(() => server.told.states.at(-1) === 'away', 'away');
    await assertServes(server);
    await redis.cli('CONFIG', 'SET', 'requirepass', PASSWORD);
    redis.password = PASSWORD;
    await untilUp(server);
    // Another fault of the same kind is another one to tell.
    await redis.cli('CONFIG', 'SET', 'requirepass', 'Wr0ng~now');
    redis.password = 'Wr0ng~now';
    for (const type of ['pubsub', 'normal']) await redis.cli('CLIENT', 'KILL', 'TYPE', type);
    await until(() => server.told.errors.length > 1, 'another error');
    assert.equal(server.told.errors[1].code, 'CLUSTER_AUTH');
  });
});

describe('a user', sideBySide, () => {
  const ALLOWED = ['on', `>${PASSWORD}`, '~*', '&*', '+@all'];

  for (const [what, denied, mended, pattern] of [
    ['that is off', ['off'], ['on'], /user|password/],
    ['that may run no scripts', ['-eval', '-evalsha', '-@scripting'], ['+@scripting'], /script/i],
    ['that may not publish', ['-spublish'], ['+spublish'], /can't run this command/],
    ['that may not subscribe', ['-ssubscribe'], ['+ssubscribe'], /ssubscribe/i],
    ['that may touch no such keys', ['resetkeys', '~other:*'], ['~*'], /key/i],
    ['that may use no such channels', ['resetchannels', '&other:*'], ['&*'], /channel/i],
  ]) {
    it(`${what} is told once, with what would be right`, async t => {
      const redis = await startRedis(t);
      await redis.cli('ACL', 'SETUSER', 'bot', ...ALLOWED, ...denied);
      const server = await startTelling(t, urlOf(redis, 'bot', PASSWORD));
      const member = await connect(server, { userId: 'member' });
      await member.join(ROOM);
      const { message } = await refusedUntil(server, 'CLUSTER_AUTH', pattern, () =>
        redis.cli('ACL', 'SETUSER', 'bot', ...mended),
      );
      t.diagnostic(message);
    });
  }
});

describe('a Redis that is too old', needsRedis, () => {
  const program = oldRedis();
  const skip =
    !program && 'there is no redis-server 6.2: ROOMCAST_REQUIRE_ALL=1 fetches it from PyPI';

  it('is told once, until it is replaced', { skip }, async t => {
    const old = await startRedis(t, { program });
    const server = await startTelling(t, old.url);
    const next = new Redis(old.directory, {});
    t.after(() => next.stop());
    await refusedUntil(server, 'CLUSTER_VERSION', /6\.2\.\d+.*7\.0|7\.0.*6\.2\.\d+/, async () => {
      const before = Number(
        /total_connections_received:(\d+)/.exec(await old.cli('INFO', 'stats'))[1],
      );
      await until(async () => {
        const [, count] = /total_connections_received:(\d+)/.exec(await old.cli('INFO', 'stats'));
        return Number(count) > before + 2;
      }, 'further attempts');
      await old.stop();
      assert.equal(await next.start(old.port), true, next.output);
    });
  });
});
