'use strict';

// Several hubs in one process: every one gets every update, counts add up, lists unite, and each
// has rooms, counters and epochs of its own.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { broadcastRoomUpdate, roomWebSocketService } = require('..');
const { connect } = require('./support/client');
const { startServer } = require('./support/server');

const sorted = ids => [...ids].sort((a, b) => String(a).localeCompare(String(b)));

describe('several hubs at once', () => {
  it('get every update, add up their counts and unite their lists', async t => {
    const [a, b] = [await startServer(t), await startServer(t, { form: 'standalone' })];
    const anna = await connect(a, { userId: 'anna' });
    const annaToo = await connect(b, { userId: 'anna' });
    const ben = await connect(b, { userId: 'ben' });
    await anna.join(1);
    await anna.join('only a');
    await annaToo.join(1);
    await ben.join(2);

    assert.equal(roomWebSocketService.getClientCount(1), 2);
    assert.equal(a.hub.getClientCount(1), 1);
    assert.deepEqual(sorted(roomWebSocketService.getActiveRooms()), [1, 2, 'only a']);
    const stats = roomWebSocketService.getStats();
    assert.equal(stats.totalRoomsWithClients, 3);
    assert.equal(stats.totalConnections, 4);
    assert.equal(stats.totalUsersTracked, 2);
    assert.equal(stats.openConnections, 3);
    const threads = a.hub.getStats().perThread.length + b.hub.getStats().perThread.length;
    assert.equal(stats.perThread.length, threads);

    assert.equal(broadcastRoomUpdate(1, 'A', 1, 2, 'join'), true);
    assert.equal(roomWebSocketService.broadcastRoomUpdate(1, { event: 'BELL' }), true);
    assert.equal(a.hub.broadcastParticipantCount(1, 2, 2), true);
    const events = texts => texts.map(text => JSON.parse(text).event);
    assert.deepEqual(events(await anna.take(3)), [
      'USER_JOINED',
      'BELL',
      'PARTICIPANT_COUNT_UPDATED',
    ]);
    assert.deepEqual(events(await annaToo.take(2)), ['USER_JOINED', 'BELL']);
    assert.deepEqual(await annaToo.settle(), []);
    broadcastRoomUpdate(2, 'B', 1, 2, 'join');
    assert.equal((await ben.nextMessage()).participantName, 'B');

    assert.equal(roomWebSocketService.disconnectRoom(1), 2);
    await anna.closed;
    await annaToo.closed;
    assert.deepEqual(await ben.settle(), []);
  });

  it('have counters and epochs of their own', async t => {
    const [a, b] = [await startServer(t), await startServer(t)];
    a.hub.broadcastParticipantCount(1, 1, 2);
    a.hub.broadcastParticipantCount(1, 2, 2);
    b.hub.broadcastParticipantCount(1, 0, 2);
    const [stateA, stateB] = [a.hub.getRoomState(1), b.hub.getRoomState(1)];
    assert.notEqual(stateA.epoch, stateB.epoch);
    assert.equal(stateA.seq, stateB.seq + 1);
    assert.equal(stateB.currentParticipants, 0);
  });

  it('go on when one of them closes', async t => {
    const [a, b] = [await startServer(t), await startServer(t)];
    const client = await connect(b);
    await client.join(1);
    await a.hub.close();
    assert.equal(broadcastRoomUpdate(1, 'A', 1, 2, 'join'), true);
    assert.equal((await client.nextMessage()).event, 'USER_JOINED');
    assert.equal(roomWebSocketService.getStats().openConnections, 1);
    await b.hub.close();
    assert.equal(broadcastRoomUpdate(1, 'A', 1, 2, 'join'), false);
  });
});
