'use strict';

// The bot's joins and leaves on both of its databases: a real PostgreSQL with a pool, and PGlite.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { connect } = require('./support/client');
const { signIn } = require('./support/people');
const { share } = require('./support/suite');
const { needsPostgres, startPostgres } = require('./support/postgres');
const { until } = require('./support/wait');

const LOBBY = { id: 1, maximum: 50 };
const MUSIC_LOUNGE = 3;

const signInAll = (bot, count) =>
  Promise.all(Array.from({ length: count }, (_, i) => signIn(bot.address, `Person ${i}`)));

/** A page in a room, with every update of it from the first on. */
async function watch(bot, person, roomId) {
  const page = await connect(bot, person.asClient);
  await page.join(roomId);
  const updates = () =>
    page.received.map(text => JSON.parse(text)).filter(({ type }) => type === 'ROOM_UPDATE');
  return {
    updates,
    newest: () => updates().at(-1),
    /** All that was broadcast before is there. */
    settled: async count => {
      await until(
        () => updates().length === count,
        () => `${count} updates, ${updates().length} so far`,
      );
      return updates();
    },
  };
}

const countOf = (answers, status) => answers.filter(answer => answer === status).length;

async function roomFor(person, roomId) {
  return (await person.get(`/api/rooms/${roomId}`)).json();
}

function joinsAndLeaves(setUp) {
  let bot;
  let people;
  share(async suite => {
    bot = await startBot(suite, await setUp(suite));
    people = await signInAll(bot, 60);
  });

  it('lets 50 of 60 in that come at once, and no page ever sees more', async () => {
    const page = await watch(bot, people[0], LOBBY.id);
    const answers = await Promise.all(people.map(person => person.join(LOBBY.id)));
    assert.equal(countOf(answers, 200), 50);
    assert.equal(countOf(answers, 409), 10);

    const updates = await page.settled(1 + 50);
    assert.ok(updates.every(update => update.currentParticipants <= LOBBY.maximum));
    assert.equal(updates.at(-1).currentParticipants, 50);
    assert.equal(updates.at(-1).isFull, true);
    const room = await roomFor(people[0], LOBBY.id);
    assert.equal(room.participants.length, 50);
    assert.equal(room.currentParticipants, 50);
  });

  it('ends on the count of the database after a crowd that comes and goes', async () => {
    const crowd = people.slice(0, 30);
    const page = await watch(bot, people[0], MUSIC_LOUNGE);
    await Promise.all(
      crowd.map(async (person, index) => {
        for (let turn = 0; turn < 4; turn += 1) {
          await person.join(MUSIC_LOUNGE);
          if (turn < 3 || index % 3 === 0) await person.leave(MUSIC_LOUNGE);
        }
      }),
    );
    const room = await roomFor(people[0], MUSIC_LOUNGE);
    assert.equal(room.currentParticipants, room.participants.length);
    await until(() => page.newest().seq === room.seq, 'the newest update');
    assert.equal(page.newest().currentParticipants, room.participants.length);
    assert.ok(page.updates().every(update => update.currentParticipants <= 20));
  });

  it('takes a user in once who asks ten times at once, and lets them go once', async () => {
    const [person] = people;
    const page = await watch(bot, person, 2);
    const ten = ask => Promise.all(Array.from({ length: 10 }, ask));
    assert.equal(countOf(await ten(() => person.join(2)), 200), 10);
    assert.equal((await roomFor(person, 2)).currentParticipants, 1);
    assert.equal(countOf(await ten(() => person.leave(2)), 200), 10);
    const room = await roomFor(person, 2);
    assert.equal(room.currentParticipants, 0);
    assert.deepEqual(room.participants, []);
    assert.deepEqual(
      (await page.settled(3)).map(update => update.event),
      ['PARTICIPANT_COUNT_UPDATED', 'USER_JOINED', 'USER_LEFT'],
    );
  });

  it('keeps a user who joins and leaves at once in step', async () => {
    const [person] = people;
    for (let turn = 0; turn < 30; turn += 1) {
      const all = [person.join(2), person.leave(2), person.join(2), person.leave(2)];
      assert.equal(countOf(await Promise.all(all), 200), 4);
      const room = await roomFor(person, 2);
      assert.equal(room.participants.length, room.inside ? 1 : 0);
      assert.equal(room.currentParticipants, room.participants.length);
    }
  });
}

describe('on PostgreSQL', needsPostgres, () => {
  let postgres;
  joinsAndLeaves(async suite => {
    postgres = await startPostgres(suite);
    return { env: { DATABASE_URL: postgres.url } };
  });

  it('has counted right in the database', async () => {
    const rows = await postgres.query(
      `SELECT id, current_participants, count(user_id)::integer AS participants
       FROM main_rooms LEFT JOIN main_room_participants ON room_id = id GROUP BY id ORDER BY id`,
    );
    assert.equal(rows[0].current_participants, 50);
    for (const { id, current_participants, participants } of rows) {
      assert.equal(current_participants, participants, `room ${id}`);
    }
  });
});

describe('on PGlite', () => {
  joinsAndLeaves(async () => ({}));
});
