'use strict';

// What a bot asks of its rooms and does with them: RoomService over every open hub,
// RoomWebSocketServer over its own.

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { describe, it } = require('node:test');
const { broadcastRoomUpdate, roomWebSocketService } = require('..');
const { connect } = require('./support/client');
const { FORMS, createServer, listen, startServer } = require('./support/server');
const { until } = require('./support/wait');

const STATS = [
  'totalRoomsWithClients',
  'totalConnections',
  'totalUsersTracked',
  'activeRooms',
  'openConnections',
  'roomsKnown',
  'bufferedBytes',
  'updatesTotal',
  'deliveriesTotal',
  'conflatedTotal',
  'slowClients',
  'uptimeSeconds',
  'perThread',
];

/** The members of RoomService, which a RoomWebSocketServer has too. */
const SERVICE = [
  'notifyParticipantJoin',
  'notifyParticipantLeave',
  'notifyRoomStatusChange',
  'broadcastParticipantCount',
  'broadcastRoomUpdate',
  'getClientCount',
  'getActiveRooms',
  'disconnectRoom',
  'getStats',
];

const sorted = ids => [...ids].sort((a, b) => String(a).localeCompare(String(b)));

describe('without an open hub', () => {
  it('updates go nowhere and say so, and nothing is counted', () => {
    assert.equal(broadcastRoomUpdate(1, 'A', 1, 2, 'join'), false);
    assert.equal(roomWebSocketService.notifyParticipantJoin(1, 'A', 1, 2), false);
    assert.equal(roomWebSocketService.notifyParticipantLeave(1, 'A', 1, 2), false);
    assert.equal(roomWebSocketService.notifyRoomStatusChange(1, 'FULL', 1, 2), false);
    assert.equal(roomWebSocketService.broadcastParticipantCount(1, 1, 2), false);
    assert.equal(roomWebSocketService.broadcastRoomUpdate(1, { event: 'X' }), false);
    assert.equal(roomWebSocketService.getClientCount(1), 0);
    assert.deepEqual(roomWebSocketService.getActiveRooms(), []);
    assert.equal(roomWebSocketService.disconnectRoom(1), 0);
    const stats = roomWebSocketService.getStats();
    assert.deepEqual(sorted(Object.keys(stats)), sorted(STATS));
    assert.equal(stats.openConnections, 0);
    assert.deepEqual(stats.activeRooms, []);
  });
});

for (const form of FORMS) {
  describe(`a hub, ${form}`, () => {
    it('is an emitter with all of the members', async t => {
      const { hub } = await startServer(t, { form });
      assert.ok(hub instanceof EventEmitter);
      const own = [
        ...['attach', 'handleUpgrade', 'address', 'getRoomState', 'forgetRoom'],
        ...['getClusterClientCount', 'disconnectUser', 'removeFromRoom', 'metrics', 'close'],
        ...['ref', 'unref', Symbol.asyncDispose],
      ];
      for (const name of [...SERVICE, ...own])
        assert.equal(typeof hub[name], 'function', String(name));
      for (const name of SERVICE) assert.equal(typeof roomWebSocketService[name], 'function', name);
    });

    it('tells where it listens', async t => {
      const { hub, port } = await startServer(t, { form });
      assert.equal(hub.address().port, port);
      assert.equal(hub.address().address, '127.0.0.1');
    });

    it('counts clients, users and rooms', async t => {
      const server = await startServer(t, { form, threads: 2 });
      const { hub } = server;
      // One user with two pages, one with one, and one who looks at no room.
      const [first, second, ben] = [
        await connect(server, { userId: 'anna' }),
        await connect(server, { userId: 'anna' }),
        await connect(server, { userId: 'ben' }),
      ];
      await connect(server, { userId: 'carl' });
      await first.join(1);
      await second.join(1);
      await second.join('lobby');
      await ben.join('lobby');
      assert.equal(hub.getClientCount(1), 2);
      assert.equal(hub.getClientCount('lobby'), 2);
      assert.equal(hub.getClientCount('nowhere'), 0);
      assert.equal(await hub.getClusterClientCount(1), 2);
      assert.deepEqual(sorted(hub.getActiveRooms()), [1, 'lobby']);

      const stats = hub.getStats();
      assert.deepEqual(sorted(Object.keys(stats)), sorted(STATS));
      assert.equal(stats.totalRoomsWithClients, 2);
      assert.equal(stats.totalConnections, 4);
      assert.equal(stats.totalUsersTracked, 2);
      assert.deepEqual(sorted(stats.activeRooms), [1, 'lobby']);
      assert.equal(stats.openConnections, 4);
      assert.equal(stats.slowClients, 0);
      assert.equal(stats.conflatedTotal, 0);
      assert.equal(stats.perThread.length, 2);
      const perThread = stats.perThread.map(({ connections }) => connections);
      assert.equal(perThread[0] + perThread[1], 4);
      for (const { backlog } of stats.perThread) assert.equal(typeof backlog, 'number');
      assert.ok(stats.uptimeSeconds >= 0);

      await second.close();
      await until(() => hub.getStats().openConnections === 3, 'the end of one');
      assert.equal(hub.getStats().totalConnections, 2);
      assert.equal(hub.getClientCount(1), 1);
      await first.close();
      await until(() => hub.getClientCount(1) === 0, 'the end of the other');
      assert.deepEqual(hub.getActiveRooms(), ['lobby']);
      assert.equal(hub.getStats().totalUsersTracked, 1);
    });

    it('counts updates and deliveries', async t => {
      const server = await startServer(t, { form });
      const { hub } = server;
      const clients = [await connect(server), await connect(server), await connect(server)];
      await clients[0].join(1);
      await clients[1].join(1);
      await clients[2].join(2);
      const before = hub.getStats();
      for (let count = 0; count < 3; count += 1) hub.broadcastParticipantCount(1, count, 9);
      hub.broadcastParticipantCount(3, 1, 9);
      for (const client of clients.slice(0, 2)) await client.take(3);
      const after = await until(() => {
        const stats = hub.getStats();
        return stats.deliveriesTotal - before.deliveriesTotal >= 6 && stats;
      }, 'six deliveries');
      assert.equal(after.updatesTotal - before.updatesTotal, 4);
      assert.equal(after.deliveriesTotal - before.deliveriesTotal, 6);
      assert.equal(after.roomsKnown, 3);
      await until(() => hub.getStats().bufferedBytes === 0, 'an empty backlog');
    });

    it('knows the state of a room for those who poll', async t => {
      const { hub } = await startServer(t, { form });
      assert.equal(hub.getRoomState(1), undefined);
      hub.broadcastParticipantCount(1, 3, 10);
      const { seq, epoch } = hub.getRoomState(1);
      assert.equal(typeof epoch, 'string');
      const state = (current, max, isFull, slots, at) => ({
        roomId: 1,
        currentParticipants: current,
        maxParticipants: max,
        isFull,
        availableSlots: slots,
        seq: at,
        epoch,
      });
      assert.deepEqual(hub.getRoomState('1'), state(3, 10, false, 7, seq));
      hub.broadcastRoomUpdate(1, 'A', 11, 10, 'join');
      assert.deepEqual(hub.getRoomState(1), state(11, 10, true, 0, seq + 1));
      hub.notifyRoomStatusChange(1, 'FULL', 9, 10);
      assert.deepEqual(hub.getRoomState(1), state(9, 10, false, 1, seq + 2));
      hub.broadcastRoomUpdate(1, { event: 'BELL' });
      assert.deepEqual(hub.getRoomState(1), state(9, 10, false, 1, seq + 3));
      hub.broadcastRoomUpdate(1, { event: 'X', currentParticipants: 2, maxParticipants: 10 });
      assert.deepEqual(hub.getRoomState(1), state(2, 10, false, 8, seq + 4));
      hub.forgetRoom(1);
      assert.equal(hub.getRoomState(1), undefined);
    });

    it('disconnects a room', async t => {
      const server = await startServer(t, { form });
      const clients = [await connect(server), await connect(server), await connect(server)];
      await clients[0].join(1);
      await clients[1].join('1');
      await clients[1].join(2);
      await clients[2].join(2);
      assert.equal(server.hub.disconnectRoom(1), 2);
      for (const client of clients.slice(0, 2)) {
        assert.deepEqual(await client.closed, { code: 1000, reason: 'Room closed' });
      }
      assert.deepEqual(await clients[2].settle(), []);
      assert.equal(server.hub.disconnectRoom(1), 0);
      await until(() => server.hub.getClientCount(2) === 1, 'the two out of their other room');
    });

    it('disconnects a user everywhere', async t => {
      const server = await startServer(t, { form });
      const pages = [
        await connect(server, { userId: '7' }),
        await connect(server, { userId: '7' }),
      ];
      const other = await connect(server, { userId: '77' });
      assert.equal(server.hub.disconnectUser('7'), 2);
      for (const page of pages) {
        assert.deepEqual(await page.closed, { code: 1008, reason: 'Disconnected' });
      }
      assert.deepEqual(await other.settle(), []);
      assert.equal(server.hub.disconnectUser('77', 4000, 'Elsewhere'), 1);
      assert.deepEqual(await other.closed, { code: 4000, reason: 'Elsewhere' });
      assert.equal(server.hub.disconnectUser('nobody'), 0);
    });

    it('removes a user from a room, and only there', async t => {
      const server = await startServer(t, { form });
      const { hub } = server;
      const pages = [
        await connect(server, { userId: 'anna' }),
        await connect(server, { userId: 'anna' }),
        await connect(server, { userId: 'anna' }),
      ];
      const ben = await connect(server, { userId: 'ben' });
      for (const client of [pages[0], pages[1], ben]) await client.join(1);
      await pages[0].join(2);
      assert.equal(hub.removeFromRoom('anna', 1), 2);
      for (const page of pages.slice(0, 2)) {
        const message = await page.nextMessage();
        assert.equal(message.type, 'ROOM_LEFT');
        assert.equal(message.roomId, 1);
        assert.equal(message.userId, 'anna');
        assert.equal(message.message, 'Left room 1');
      }
      assert.equal(hub.getClientCount(1), 1);
      hub.broadcastParticipantCount(1, 1, 2);
      hub.broadcastParticipantCount(2, 1, 2);
      assert.equal((await ben.nextMessage()).roomId, 1);
      assert.equal((await pages[0].nextMessage()).roomId, 2);
      for (const page of pages) assert.deepEqual(await page.settle(), []);
      assert.equal(hub.removeFromRoom('anna', 1), 0);
      assert.equal(hub.removeFromRoom('nobody', 2), 0);
      await pages[1].join(1);
    });

    it('tells both forms of broadcastRoomUpdate apart', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server);
      await client.join(1);
      assert.equal(server.hub.broadcastRoomUpdate(1, 'A', 1, 2, 'leave'), true);
      assert.equal(server.hub.broadcastRoomUpdate(1, { event: 'BELL', by: 'A' }), true);
      assert.equal((await client.nextMessage()).event, 'USER_LEFT');
      assert.equal((await client.nextMessage()).by, 'A');
    });

    it('is the same for all that serves it', async t => {
      const server = await startServer(t, { form });
      const second = createServer('http');
      server.hub.attach(second);
      const port = await listen(second);
      t.after(() => new Promise(resolve => second.close(resolve)));
      const here = await connect(server);
      const there = await connect({ ...server, url: `ws://127.0.0.1:${port}/ws/rooms` });
      await here.join(1);
      await there.join(1);
      assert.equal(server.hub.getClientCount(1), 2);
      broadcastRoomUpdate(1, 'A', 1, 2, 'join');
      assert.equal(await here.next(), await there.next());
    });
  });
}
