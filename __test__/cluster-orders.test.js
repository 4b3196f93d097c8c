'use strict';

// What a bot orders about users and rooms is carried out on every process, once.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { shareFleet, startMember } = require('./support/fleet');
const { GENEROUS, broadcast, comeBack, visit, visitEach } = require('./support/fleet-clients');
const { left } = require('./support/messages');
const { needsRedis } = require('./support/redis');
const { assertText } = require('./support/text');
const { until } = require('./support/wait');

const DISCONNECTED = { code: 1008, reason: 'Disconnected' };
const ROOM_CLOSED = { code: 1000, reason: 'Room closed' };

describe('an order on one of three processes', needsRedis, () => {
  const fleet = shareFleet(3, GENEROUS);

  /**
   * Waits until every process has carried out all orders that were given before: orders are carried
   * out in their sequence, and this one shows.
   */
  async function settle() {
    const clients = await visitEach(fleet.members, 'settle', { userId: 'settler' });
    await fleet.members[0].call('disconnectUser', 'settler');
    for (const client of clients) await client.closed;
  }

  const isThere = async client => assert.deepEqual(await client.settle(), []);

  it('disconnectUser, closes all of the connections of that user', async () => {
    const [a, b] = fleet.members;
    const anna = await visitEach(fleet.members, 'users', { userId: 'anna' });
    anna.push(await connect(b, { userId: 'anna' }));
    const ben = await visitEach(fleet.members, 'users', { userId: 'ben' });
    assert.equal(await a.call('disconnectUser', 'anna'), 1);
    for (const client of anna) assert.deepEqual(await client.closed, DISCONNECTED);
    assert.equal(await b.call('disconnectUser', 'ben', 4001, 'Out, „Ben“'), 1);
    for (const client of ben) {
      assert.deepEqual(await client.closed, { code: 4001, reason: 'Out, „Ben“' });
    }
  });

  it('disconnectUser, reaches users whom this process does not know', async () => {
    const [a, b, c] = fleet.members;
    for (const userId of ['"}{%', '🎈', '007', 'x'.repeat(128)]) {
      const client = await connect(b, { userId });
      const other = await connect(c, { userId: `${userId}2`.slice(-128) });
      assert.equal(await a.call('disconnectUser', userId), 0);
      assert.deepEqual(await client.closed, DISCONNECTED);
      await isThere(other);
      other.terminate();
    }
    // As a number, which stands for its decimal form.
    const client = await connect(b, { userId: '42' });
    assert.equal(await a.call('disconnectUser', 42), 0);
    assert.deepEqual(await client.closed, DISCONNECTED);
  });

  it('is not carried out again on who comes afterwards', async t => {
    const [a, b] = fleet.members;
    const before = await connect(b, { userId: 'back' });
    await a.call('disconnectUser', 'back');
    await before.closed;
    await settle();
    const again = await visitEach(fleet.members, 'back', { userId: 'back' });
    const late = await startMember(t, { cluster: { url: fleet.redis.url }, ...GENEROUS });
    again.push(await visit(late, 'back', { userId: 'back' }));
    await settle();
    await broadcast(b, again, 'back', 'Anna', 1, 2, 'join');
    for (const client of again) await isThere(client);
  });

  it('removeFromRoom, ends the memberships of that user in that room', async () => {
    const roomId = 'removal';
    const [a, b] = fleet.members;
    const anna = await visitEach(fleet.members, roomId, { userId: 'anna' });
    const ben = await visitEach(fleet.members, roomId, { userId: 'ben' });
    for (const client of anna) await client.join('other');
    assert.equal(await b.call('removeFromRoom', 'anna', roomId), 1);
    for (const client of anna) assertText(await client.next(), left(roomId, 'anna'));
    await broadcast(a, ben, roomId, 'Ben', 1, 2, 'join');
    await broadcast(a, anna, 'other', 'Ben', 1, 2, 'join');
    for (const client of anna) await isThere(client);
    for (const client of ben) await isThere(client);

    const [back] = anna;
    assert.equal((await back.join(roomId)).seq, 1);
    await settle();
    assert.equal((await back.settle()).length, 1, 'the snapshot');
    await broadcast(b, [back, ...ben], roomId, 'Anna', 2, 2, 'join');
  });

  it('disconnectRoom, closes all clients, behind the updates before it', async () => {
    const roomId = 'closing';
    const [a, b, c] = fleet.members;
    const clients = await visitEach([a, a, b, c], roomId);
    const others = await visitEach(fleet.members, 'open');
    await broadcast(a, clients, roomId, 'first', 1, 2, 'join');
    const updates = Array.from({ length: 100 }, (_, n) => [roomId, `last ${n}`, n, 100, 'join']);
    const [, closed] = await Promise.all([
      a.callEach('broadcastRoomUpdate', updates),
      a.call('disconnectRoom', roomId),
    ]);
    assert.equal(closed, 2);
    for (const client of clients) {
      const texts = await client.take(updates.length);
      const names = texts.map(text => JSON.parse(text).participantName);
      assert.deepEqual(
        names,
        updates.map(([, name]) => name),
      );
      assert.deepEqual(await client.closed, ROOM_CLOSED);
    }
    for (const client of others) await isThere(client);
    const back = await visit(b, roomId);
    await settle();
    await isThere(back);
  });

  it('disconnectRoom, reaches a room that this process has nobody in', async () => {
    const [a, b, c] = fleet.members;
    const clients = await visitEach([b, c], 'far');
    assert.equal(await a.call('disconnectRoom', 'far'), 0);
    for (const client of clients) assert.deepEqual(await client.closed, ROOM_CLOSED);
    assert.equal(await a.call('disconnectRoom', 'nobody at all'), 0);
    await settle();
  });

  it('forgetRoom, drops its state and history everywhere, and a new epoch begins', async () => {
    const roomId = 'forgotten';
    const [a, b] = fleet.members;
    const clients = await visitEach(fleet.members, roomId);
    const { epoch, seq } = JSON.parse(await broadcast(a, clients, roomId, 'old', 7, 9, 'join'));
    await broadcast(b, clients, roomId, 'older', 8, 9, 'join');
    await a.call('forgetRoom', roomId);
    for (const member of fleet.members) {
      await until(
        async () => (await member.call('getRoomState', roomId)) === undefined,
        'the end of the state',
      );
    }
    const asked = await comeBack(b, roomId, { lastSeq: seq, epoch });
    assert.equal(asked.joined.recovered, false);
    assert.notEqual(asked.joined.epoch, epoch);
    assert.deepEqual(asked.following, []);

    const first = JSON.parse(await broadcast(b, clients, roomId, 'new', 1, 9, 'join'));
    assert.equal(first.seq, 1);
    assert.notEqual(first.epoch, epoch);
    const back = await comeBack(a, roomId, { lastSeq: 1, epoch: first.epoch });
    assert.equal(back.joined.recovered, true);
    for (const member of fleet.members) {
      assert.equal((await member.call('getRoomState', roomId)).currentParticipants, 1);
    }
  });

  for (const [order, isDone] of [
    ['disconnectRoom', client => client.ws.readyState === client.ws.CLOSED],
    ['forgetRoom', client => client.received.some(text => /"USER_JOINED".*"seq":1,"/.test(text))],
  ]) {
    it(`${order}, has its turn among updates without a pause`, async t => {
      const roomId = `busy ${order}`;
      const [a, b] = fleet.members;
      const first = await visit(a, roomId);
      await broadcast(a, [first], roomId, { event: 'FIRST' });
      const clients = [first, ...(await visitEach([a, b], roomId))];
      const updates = Array.from({ length: 100 }, (_, n) => [roomId, `P${n}`, n, 100, 'join']);
      let goOn = true;
      t.after(() => {
        goOn = false;
      });
      const flow = async () => {
        while (goOn) await a.callEach('broadcastRoomUpdate', updates);
      };
      const flows = [flow(), flow()];
      for (const client of clients) await client.take(1_000);
      await a.call(order, roomId);
      for (const client of clients) {
        await until(
          () => isDone(client),
          () => `the order, among ${client.received.length} messages`,
        );
      }
      goOn = false;
      await Promise.all(flows);
    });
  }
});
