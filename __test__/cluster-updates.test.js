'use strict';

// Updates of one room from several processes: they are numbered in one sequence, and every client,
// on whichever process, sees the same bytes in the same order.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { shareFleet } = require('./support/fleet');
const { GENEROUS, broadcast, called, visit, visitEach } = require('./support/fleet-clients');
const { counts, update } = require('./support/messages');
const { needsRedis, startRedis } = require('./support/redis');
const { FORMS, startServer } = require('./support/server');
const { assertText } = require('./support/text');
const { nextEvent, until } = require('./support/wait');

/** What each process says at once, where all of them do. */
const EACH = 300;

const joins = (name, count) =>
  Array.from({ length: count }, (_, n) => [`${name} ${n}`, n, count, 'join']);

const parsed = texts => texts.map(text => JSON.parse(text));

/** The numbers from `first` on, so many. */
const from = (first, count) => Array.from({ length: count }, (_, n) => first + n);

describe('an update from one of three processes', needsRedis, () => {
  const fleet = shareFleet(3, GENEROUS);

  it('is the same for the clients of all, with the next seq of one epoch', async () => {
    const roomId = 'from each';
    const clients = await visitEach(fleet.members, roomId);
    const [first, ...others] = fleet.members;
    const named = (name, count) => `"event":"USER_JOINED","participantName":"${name}",${count}`;

    // Nobody had broadcast to this room: its first update tells who waited which epoch it begins.
    const announced = await broadcast(first, clients, roomId, 'Anna', 1, 3, 'join');
    const template = update(roomId, named('Anna', counts(1, 3)), 1);
    const { epoch } = assertText(announced, template.replace(/}$/, ',"epoch":"<epoch>"}'));

    for (const [n, member] of others.entries()) {
      const text = await broadcast(member, clients, roomId, `Ben ${n}`, 2 + n, 3, 'join');
      assertText(text, update(roomId, named(`Ben ${n}`, counts(2 + n, 3)), 2 + n));
    }
    const state = { roomId, currentParticipants: 3, maxParticipants: 3, isFull: true };
    for (const member of fleet.members) {
      const found = await member.call('getRoomState', roomId);
      assert.deepEqual(found, { ...state, availableSlots: 0, seq: 3, epoch });
    }
    for (const client of clients) assert.deepEqual(await client.settle(), []);
  });

  it('comes once to a client that is in the room twice over', async () => {
    const roomId = 'twice';
    const [a, b] = fleet.members;
    const clients = [await visit(a, roomId), await visit(a, roomId), await visit(b, roomId)];
    await broadcast(b, clients, roomId, 'Anna', 1, 3, 'join');
    await clients[0].join(roomId);
    assert.equal((await clients[0].settle()).length, 1, 'the snapshot');
    await broadcast(a, clients, roomId, 'Anna', 0, 3, 'leave');
    for (const client of clients) assert.deepEqual(await client.settle(), []);
  });

  it('may be of any kind, and large', async () => {
    const roomId = 'kinds';
    const [a, b] = fleet.members;
    const clients = await visitEach(fleet.members, roomId);
    await broadcast(a, clients, roomId, { event: 'FIRST' });

    const full = `"event":"ROOM_STATUS_CHANGED","status":"FULL",${counts(1, 4, true)}`;
    await a.call('notifyRoomStatusChange', roomId, 'FULL', 1, 4);
    for (const client of clients) assertText(await client.next(), update(roomId, full, 2));

    await b.call('broadcastParticipantCount', roomId, 2, 4);
    const counted = `"event":"PARTICIPANT_COUNT_UPDATED",${counts(2, 4)}`;
    for (const client of clients) assertText(await client.next(), update(roomId, counted, 3));

    await a.call('notifyParticipantLeave', roomId, '"Ö" \\ 🎈 \u0000 </script>', 1, 4);
    const name = '"participantName":"\\"Ö\\" \\\\ 🎈 \\u0000 </script>"';
    const left = `"event":"USER_LEFT",${name},${counts(1, 4)}`;
    for (const client of clients) assertText(await client.next(), update(roomId, left, 4));

    const own = { list: [1, null, { deep: '}{%' }], text: '\r\n"\\', pad: 'é'.repeat(30_000) };
    const fields = `"event":"OWN",${JSON.stringify(own).slice(1, -1)}`;
    const text = await broadcast(b, clients, roomId, { event: 'OWN', ...own });
    assertText(text, update(roomId, fields, 5));
  });

  it('is there for who joins on another process afterwards', async () => {
    const roomId = 'before';
    const [a, b] = fleet.members;
    // Nobody is in the room, on any process: that the update is in Redis only a join can show.
    await a.call('broadcastRoomUpdate', roomId, 'Anna', 5, 8, 'join');
    const { joined, following } = await until(async () => {
      const client = await connect(b);
      const answer = await client.join(roomId);
      const rest = await client.settle();
      client.terminate();
      return answer.seq > 0 && { joined: answer, following: parsed(rest) };
    }, 'the update');
    assert.equal(joined.seq, 1);
    assert.equal(following.length, 1);
    const { event, currentParticipants, maxParticipants, seq, epoch } = following[0];
    const snapshot = { event, currentParticipants, maxParticipants, seq, epoch };
    assert.deepEqual(snapshot, {
      event: 'PARTICIPANT_COUNT_UPDATED',
      currentParticipants: 5,
      maxParticipants: 8,
      seq: 1,
      epoch: joined.epoch,
    });
  });
});

describe('hubs of every form in one process', needsRedis, () => {
  it('see the same, as any processes do', async t => {
    const { url } = await startRedis(t);
    const servers = [];
    for (const form of FORMS) {
      const server = await startServer(t, { form, cluster: { url } });
      assert.deepEqual(await nextEvent(server.hub, 'cluster'), ['up']);
      servers.push(server);
    }
    const clients = await visitEach(servers, 1);
    for (const [n, server] of servers.entries()) {
      const text = await broadcast(called(server), clients, 1, `Anna ${n}`, n, 9, 'join');
      assert.equal(JSON.parse(text).seq, n + 1);
    }
    for (const { hub } of servers) {
      await until(async () => (await hub.getClusterClientCount(1)) === FORMS.length, 'the count');
    }
  });
});

describe('what a process knows of a room that it has nobody in', needsRedis, () => {
  const fleet = shareFleet(2, GENEROUS);

  it('is looked up in Redis when it is asked for', async () => {
    const [a, b] = fleet.members;
    const client = await visit(a, 1);
    for (const current of [3, 4]) {
      const { seq } = JSON.parse(await broadcast(a, [client], 1, 'Anna', current, 9, 'join'));
      const state = await until(async () => {
        const found = await b.call('getRoomState', 1);
        return found?.seq === seq && found;
      }, 'the state');
      assert.equal(state.currentParticipants, current);
      assert.deepEqual(state, await a.call('getRoomState', 1));
    }
    assert.equal(await b.call('getRoomState', 'nowhere'), undefined);
  });
});

describe('updates from three processes at the same moment', needsRedis, () => {
  const fleet = shareFleet(3, GENEROUS);

  it('are one sequence, in which each process keeps its order', async () => {
    const roomId = 'at once';
    const { members } = fleet;
    const clients = await visitEach([...members, ...members], roomId);
    await Promise.all(
      members.map((member, n) =>
        member.callEach(
          'broadcastRoomUpdate',
          joins(`process ${n}`, EACH).map(fields => [roomId, ...fields]),
        ),
      ),
    );
    const total = members.length * EACH;
    const streams = await Promise.all(clients.map(client => client.take(total)));
    for (const stream of streams) assert.deepEqual(stream, streams[0]);
    const updates = parsed(streams[0]);
    assert.deepEqual(
      updates.map(({ seq }) => seq),
      from(1, total),
    );
    for (const n of members.keys()) {
      const names = updates.map(({ participantName }) => participantName);
      assert.deepEqual(
        names.filter(name => name.startsWith(`process ${n} `)),
        joins(`process ${n}`, EACH).map(([name]) => name),
      );
    }
    for (const client of clients) assert.deepEqual(await client.settle(), []);
  });

  it('are one sequence per room', async () => {
    const rooms = from(1, 10);
    const { members } = fleet;
    const clients = await Promise.all(members.map(member => connect(member)));
    for (const client of clients) for (const roomId of rooms) await client.join(roomId);
    const calls = joins('member', 30).flatMap(fields => rooms.map(roomId => [roomId, ...fields]));
    await Promise.all(members.map(member => member.callEach('broadcastRoomUpdate', calls)));

    const total = members.length * 30;
    const streams = await Promise.all(clients.map(client => client.take(total * rooms.length)));
    for (const roomId of rooms) {
      const [first, ...others] = streams.map(stream =>
        stream.filter(text => JSON.parse(text).roomId === roomId),
      );
      for (const other of others) assert.deepEqual(other, first, `room ${roomId}`);
      assert.deepEqual(
        parsed(first).map(({ seq }) => seq),
        from(1, total),
      );
    }
  });
});
