'use strict';

// A client that comes back to another process gets there what it has missed.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { shareFleet, startFleet } = require('./support/fleet');
const { GENEROUS, broadcast, comeBack, visit } = require('./support/fleet-clients');
const { counts, snapshot } = require('./support/messages');
const { needsRedis, startRedis } = require('./support/redis');
const { assertText } = require('./support/text');
const { until } = require('./support/wait');
const { layWire } = require('./support/wire');

const HISTORY = 8;

describe('a client that comes back to another process', needsRedis, () => {
  const fleet = shareFleet(3, { history: HISTORY, ...GENEROUS });

  /**
   * A room whose counter stands `missed` updates after what a client of the first process saw that has
   * gone: `place` is what it knows, `witness` has stayed on the third process, and `texts` are the
   * missed updates as it received them. Nobody has ever been in the room on the second process.
   */
  async function gone(roomId, missed) {
    const [a, b, c] = fleet.members;
    const witness = await visit(c, roomId, { userId: 'witness' });
    const leaver = await visit(a, roomId);
    const both = [witness, leaver];
    const first = JSON.parse(await broadcast(a, both, roomId, 'first', 1, 99, 'join'));
    const { seq } = JSON.parse(await broadcast(c, both, roomId, 'second', 2, 99, 'join'));
    const texts = [];
    await leaver.close();
    for (let n = 0; n < missed; n += 1) {
      const member = [a, b, c][n % 3];
      texts.push(await broadcast(member, [witness], roomId, `missed ${n}`, 10 + n, 99, 'join'));
    }
    return { place: { lastSeq: seq, epoch: first.epoch }, witness, texts };
  }

  const isAnswered = (joined, place, recovered, seq) => {
    const { epoch } = place;
    assert.deepEqual(
      { seq: joined.seq, epoch: joined.epoch, recovered: joined.recovered },
      { seq, epoch, recovered },
    );
  };

  it('gets the missed updates, byte for byte, though nobody was in the room there', async () => {
    const { place, texts, witness } = await gone('first there', HISTORY);
    const back = await comeBack(fleet.members[1], 'first there', place);
    isAnswered(back.joined, place, true, place.lastSeq);
    assert.deepEqual(back.following, texts);
    const all = [witness, back.client];
    const next = await broadcast(fleet.members[0], all, 'first there', 'next', 1, 99, 'join');
    assert.equal(JSON.parse(next).seq, place.lastSeq + HISTORY + 1);
  });

  it('gets them where others are in the room', async () => {
    const { place, texts } = await gone('among others', 3);
    const back = await comeBack(fleet.members[2], 'among others', place);
    isAnswered(back.joined, place, true, place.lastSeq);
    assert.deepEqual(back.following, texts);
  });

  it('gets those from before anybody was in the room there', async () => {
    const { place, texts } = await gone('late comers', HISTORY);
    await visit(fleet.members[1], 'late comers');
    const back = await comeBack(fleet.members[1], 'late comers', place);
    isAnswered(back.joined, place, true, place.lastSeq);
    assert.deepEqual(back.following, texts);
  });

  it('gets those that came while its process had let go of the room', async () => {
    const [a, b] = fleet.members;
    const roomId = 'let go';
    const { place, witness } = await gone(roomId, 1);
    const visitor = await visit(b, roomId);
    await visitor.close();
    const channel = `roomcast:room:{${roomId}}`;
    await until(async () => (await fleet.redis.subscribers(channel)) === 1, 'one subscriber');
    const { seq: lastSeq } = visitor.joined;
    const missed = [];
    for (let n = 0; n < 3; n += 1) {
      missed.push(await broadcast(a, [witness], roomId, `unheard ${n}`, 20 + n, 99, 'join'));
    }
    const back = await comeBack(b, roomId, { lastSeq, epoch: place.epoch });
    isAnswered(back.joined, place, true, lastSeq);
    assert.deepEqual(back.following, missed);
  });

  it('gets nothing where it missed nothing', async () => {
    const { place } = await gone('nothing', 0);
    const back = await comeBack(fleet.members[1], 'nothing', place);
    isAnswered(back.joined, place, true, place.lastSeq);
    assert.deepEqual(back.following, []);
  });

  for (const [where, n] of [
    ['where nobody was in the room', 1],
    ['where others are in the room', 2],
  ]) {
    it(`gets a snapshot where it missed more than is held, ${where}`, async () => {
      const roomId = `too long ${n}`;
      const { place } = await gone(roomId, HISTORY + 1);
      const back = await comeBack(fleet.members[n], roomId, place);
      const seq = place.lastSeq + HISTORY + 1;
      isAnswered(back.joined, place, false, seq);
      assert.equal(back.following.length, 1);
      const found = assertText(back.following[0], snapshot(roomId, counts(10 + HISTORY, 99), seq));
      assert.equal(found.epoch, place.epoch);
    });
  }

  it('gets a snapshot where its epoch is another, or its lastSeq beyond the counter', async () => {
    const roomId = 'elsewhere';
    const { place } = await gone(roomId, 2);
    const seq = place.lastSeq + 2;
    for (const asked of [
      { ...place, epoch: `${place.epoch}x` },
      { ...place, lastSeq: seq + 1 },
    ]) {
      const back = await comeBack(fleet.members[1], roomId, asked);
      isAnswered(back.joined, place, false, seq);
      assert.equal(back.following.length, 1);
      assertText(back.following[0], snapshot(roomId, counts(11, 99), seq));
    }
  });
});

describe('a client that comes to a process that hears of updates late', needsRedis, () => {
  async function start(t) {
    const redis = await startRedis(t);
    const wire = await layWire(t, redis, { lateMs: 50 });
    const [prompt] = await startFleet(t, 1, redis);
    const [late] = await startFleet(t, 1, wire);
    return { prompt, late, witness: await visit(late, 1, { userId: 'witness' }) };
  }

  it('is not told again what it has seen', async t => {
    const { prompt, late, witness } = await start(t);
    const client = await visit(prompt, 1);
    const { epoch } = JSON.parse(await broadcast(prompt, [client], 1, 'first', 1, 9, 'join'));
    await witness.next();
    const next = await connect(late);
    const seen = await broadcast(prompt, [client], 1, 'second', 2, 9, 'join');
    const joined = await next.join(1, { lastSeq: 2, epoch });
    assert.deepEqual([joined.seq, joined.recovered], [2, true]);
    assert.equal(await witness.next(), seen);
    const all = [client, next, witness];
    assert.equal(JSON.parse(await broadcast(late, all, 1, 'third', 3, 9, 'join')).seq, 3);
  });

  it('is not told again what it has seen of an epoch that is new there', async t => {
    const { prompt, late, witness } = await start(t);
    const client = await visit(prompt, 1);
    const old = JSON.parse(await broadcast(prompt, [client], 1, 'old', 1, 9, 'join'));
    await witness.next();
    const next = await connect(late);
    await prompt.call('forgetRoom', 1);
    await until(async () => (await prompt.call('getRoomState', 1)) === undefined, 'the end');
    const { seq, epoch } = JSON.parse(await broadcast(prompt, [client], 1, 'new', 2, 9, 'join'));
    assert.notEqual(epoch, old.epoch);
    const joined = await next.join(1, { lastSeq: seq, epoch });
    assert.deepEqual([joined.seq, joined.epoch, joined.recovered], [seq, epoch, true]);
    await witness.next();
    const all = [client, next, witness];
    assert.equal(JSON.parse(await broadcast(late, all, 1, 'newer', 3, 9, 'join')).seq, seq + 1);
  });

  it('costs those nothing who are there, however much is on its way to them', async t => {
    const { prompt, late, witness } = await start(t);
    const client = await visit(prompt, 1);
    const { epoch } = JSON.parse(await broadcast(prompt, [client], 1, 'first', 1, 9, 'join'));
    await witness.next();
    const next = await connect(late);
    // More than the history holds.
    const updates = Array.from({ length: 100 }, (_, n) => [1, `P${n}`, n, 100, 'join']);
    await prompt.callEach('broadcastRoomUpdate', updates);
    const texts = await client.take(updates.length);
    const joined = await next.join(1, { lastSeq: 1 + updates.length, epoch });
    assert.equal(joined.recovered, true);
    assert.deepEqual(await witness.take(updates.length), texts);
  });

  it('begins anew where its lastSeq is beyond that of Redis too', async t => {
    const { prompt, late, witness } = await start(t);
    const { epoch } = JSON.parse(await broadcast(prompt, [witness], 1, 'first', 1, 9, 'join'));
    const back = await comeBack(late, 1, { lastSeq: 2, epoch });
    assert.deepEqual([back.joined.seq, back.joined.recovered], [1, false]);
    assertText(back.following[0], snapshot(1, counts(1, 9), 1));
  });
});
