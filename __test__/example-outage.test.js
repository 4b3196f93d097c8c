'use strict';

// The bot while its database is away: it says so, goes on, and is whole again by itself.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { launchBot, startBot } = require('./support/bot');
const { connect } = require('./support/client');
const { signIn } = require('./support/people');
const { needsPostgres, startPostgres } = require('./support/postgres');
const { until } = require('./support/wait');
const { share } = require('./support/suite');

describe('the bot', needsPostgres, () => {
  let postgres;
  share(async suite => {
    postgres = await startPostgres(suite);
  });

  it('goes on while the database is away, and uses it again afterwards', async t => {
    const bot = await startBot(t, { env: { DATABASE_URL: await postgres.createDatabase() } });
    const [ada, alan] = await Promise.all(['Ada', 'Alan'].map(name => signIn(bot.address, name)));
    const page = await connect(bot, alan.asClient);
    await page.join(1);
    await page.nextMessage();

    await postgres.stop();
    const refused = await ada.post('/api/rooms/1/join');
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '2');
    assert.deepEqual(await refused.json(), { error: 'The database does not answer' });
    assert.equal((await ada.get('/api/rooms')).status, 503);
    page.send({ action: 'JOIN_ROOM', roomId: 2 });
    assert.equal((await page.nextMessage()).error, 'Unable to verify room membership');
    assert.equal((await bot.get('/healthz')).status, 200);

    await postgres.start();
    await until(async () => (await ada.join(1)) === 200, 'the database in use again');
    const update = await page.nextMessage();
    assert.equal(update.event, 'USER_JOINED');
    assert.equal(update.currentParticipants, 1);
    await page.join(2);

    bot.kill('SIGTERM');
    assert.deepEqual(await bot.exited(), { code: 0, signal: null });
  });

  it(
    'starts without its database, and tells the counts once that is there',
    needsPostgres,
    async t => {
      const env = { DATABASE_URL: await postgres.createDatabase() };
      const first = await startBot(t, { env });
      await (await signIn(first.address, 'Ada')).join(1);
      first.kill('SIGTERM');
      await first.exited();

      await postgres.stop();
      const bot = await startBot(t, { env });
      assert.equal((await bot.post('/api/session', { name: 'Alan' })).status, 503);
      await postgres.start();
      await until(
        async () => (await bot.post('/api/session', { name: 'Alan' })).status === 201,
        'the database in use',
      );
      const alan = await signIn(bot.address, 'Alan');
      const room = async () => (await alan.get('/api/rooms/1')).json();
      await until(async () => (await room()).seq, 'a count that the hub was told');
      const page = await connect(bot, alan.asClient);
      await page.join(1);
      assert.equal((await page.nextMessage()).currentParticipants, 1);
    },
  );

  it('corrects what pages are told after a change by SQL', async t => {
    const url = await postgres.createDatabase();
    const bot = await startBot(t, { env: { DATABASE_URL: url } });
    const ada = await signIn(bot.address, 'Ada');
    await ada.join(4);
    const page = await connect(bot, ada.asClient);
    await page.join(4);
    await page.nextMessage();
    await postgres.query('UPDATE main_rooms SET max_participants = 9 WHERE id = 4', { url });
    const update = await page.nextMessage();
    assert.equal(update.event, 'PARTICIPANT_COUNT_UPDATED');
    assert.equal(update.currentParticipants, 1);
    assert.equal(update.maxParticipants, 9);

    const { id } = (await (await ada.get('/api/session')).json()).user;
    await postgres.query(
      `UPDATE hangout_group_members SET is_banned = true WHERE user_id = '${id}'`,
      { url },
    );
    page.send({ action: 'JOIN_ROOM', roomId: 1 });
    assert.equal((await page.nextMessage()).error, 'Access denied to this room');
    assert.equal(await ada.join(1), 403);
    assert.deepEqual(await (await ada.get('/api/rooms')).json(), []);
  });

  it('sets its tables up once where several start at once', async t => {
    const env = { DATABASE_URL: await postgres.createDatabase() };
    const bots = await Promise.all(Array.from({ length: 4 }, () => startBot(t, { env })));
    for (const bot of bots) {
      assert.deepEqual(bot.errors, []);
      const ada = await signIn(bot.address, 'Ada');
      assert.equal((await (await ada.get('/api/rooms')).json()).length, 4);
    }
  });

  it('does not start where the database is another one than was said', async t => {
    const bot = launchBot(t, {
      env: { DATABASE_URL: postgres.url.replace('/postgres', '/nothing') },
    });
    assert.deepEqual(await bot.exited(), { code: 1, signal: null });
    assert.deepEqual(bot.errors, ['database "nothing" does not exist']);
  });

  it('does not start where DATABASE_URL is not one', async t => {
    const bot = launchBot(t, { env: { DATABASE_URL: 'localhost/bot' } });
    assert.deepEqual(await bot.exited(), { code: 1, signal: null });
    assert.deepEqual(bot.errors, [
      'DATABASE_URL has to be like postgres://user:password@host:5432/database',
    ]);
  });
});
