'use strict';

// Two bots with one Redis and one PostgreSQL: the same rooms, sessions and pages.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { connect } = require('./support/client');
const { signIn } = require('./support/people');
const { needsPostgres, startPostgres } = require('./support/postgres');
const { needsRedis, startRedis } = require('./support/redis');
const { until } = require('./support/wait');
const { share } = require('./support/suite');

const at = (bot, person, route, method = 'GET') =>
  fetch(new URL(route, bot.address), {
    method,
    headers: { Cookie: person.cookie, 'Content-Type': 'application/json' },
    ...(method === 'POST' && { body: '{}' }),
  });

const skip = needsRedis.skip || needsPostgres.skip;

describe('two bots', { skip }, () => {
  let postgres;
  share(async suite => {
    postgres = await startPostgres(suite);
  });

  /** Two behind one address, as far as users can tell. */
  async function startTwo(t) {
    const [redis, url] = await Promise.all([startRedis(t), postgres.createDatabase()]);
    const env = { REDIS_URL: redis.url, DATABASE_URL: url, SESSION_SECRET: 'secret' };
    return Promise.all([startBot(t, { env }), startBot(t, { env })]);
  }

  it('are one: who joins at one is seen at the other, and nobody is in twice', async t => {
    const [a, b] = await startTwo(t);
    const people = await Promise.all(
      Array.from({ length: 60 }, (_, i) => signIn(a.address, `Person ${i}`)),
    );
    const pages = [await connect(a, people[0].asClient), await connect(b, people[0].asClient)];
    for (const page of pages) {
      await page.join(1);
      assert.equal((await page.nextMessage()).currentParticipants, 0);
    }

    const answers = await Promise.all(
      people.map((person, i) => at(i % 2 ? a : b, person, '/api/rooms/1/join', 'POST')),
    );
    const statuses = answers.map(answer => answer.status);
    assert.equal(statuses.filter(status => status === 200).length, 50);
    assert.equal(statuses.filter(status => status === 409).length, 10);

    for (const page of pages) {
      // Two processes' updates may overtake each other on their way: the last is right all the same.
      const counts = () =>
        page.received
          .map(text => JSON.parse(text))
          .filter(message => message.currentParticipants !== undefined)
          .map(message => message.currentParticipants);
      await until(() => counts().length >= 51 && counts().at(-1) === 50, 'the full room');
      assert.equal(Math.max(...counts()), 50);
    }
  });

  it('end a session together', async t => {
    const [a, b] = await startTwo(t);
    const ada = await signIn(a.address, 'Ada');
    const page = await connect(b, ada.asClient);
    assert.equal((await at(a, ada, '/api/session', 'DELETE')).status, 204);
    assert.deepEqual(await page.closed, { code: 1008, reason: 'Signed out' });
    assert.equal((await at(b, ada, '/api/session')).status, 401);
  });
});
