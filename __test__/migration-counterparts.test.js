'use strict';

// What a bot does with a room server on top of `ws` and not with this one, and what the migration
// document gives it instead.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const WebSocket = require('ws');
const { broadcastRoomUpdate, roomWebSocketService, setupRoomWebSocketServer } = require('..');
const { connect, dial } = require('./support/client');
const { pageCode } = require('./support/sitting');
const { startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

describe('instead of what the ws library has', () => {
  it('a set of the clients is kept by two events', async t => {
    const started = await startServer(t);
    const clients = new Function(
      ...['setupRoomWebSocketServer', 'server'],
      `${pageCode('What has no counterpart')}\nreturn clients;`,
    )(() => started.hub, started.server);
    await connect(started, { userId: 'ada' });
    const ben = await connect(started, { userId: 'ben' });
    const users = () => [...clients].map(({ userId }) => userId).sort();
    await until(() => clients.size === 2, 'both clients');
    assert.deepEqual(users(), ['ada', 'ben']);
    assert.equal(roomWebSocketService.getStats().openConnections, 2);
    await ben.close(1000);
    await until(() => clients.size === 1, 'the end of one');
    assert.deepEqual(users(), ['ada']);
  });

  it('one user is told in a room of their own', async t => {
    const started = await startServer(t, {
      authorizeJoin: (client, roomId) => roomId === `user:${client.userId}`,
    });
    const ada = await connect(started, { userId: '42' });
    const ben = await connect(started, { userId: '43' });
    assert.equal((await ada.join('user:42')).type, 'ROOM_JOINED');
    ben.send({ action: 'JOIN_ROOM', roomId: 'user:42' });
    assert.equal((await ben.nextMessage()).error, 'Access denied to this room');
    roomWebSocketService.broadcastRoomUpdate('user:42', { event: 'INVITED', by: 'Ada' });
    const { event, by } = await ada.nextMessage();
    assert.deepEqual({ event, by }, { event: 'INVITED', by: 'Ada' });
  });

  it('everybody is told in all rooms that have anybody', async t => {
    const started = await startServer(t);
    const clients = [];
    for (const room of [1, 'two']) {
      const client = await connect(started, { userId: `in-${room}` });
      await client.join(room);
      clients.push(client);
    }
    for (const roomId of roomWebSocketService.getActiveRooms()) {
      roomWebSocketService.broadcastRoomUpdate(roomId, { event: 'TOPIC_CHANGED', topic: 'rust' });
    }
    for (const client of clients) assert.equal((await client.nextMessage()).topic, 'rust');
  });

  it('what is known of a user goes along with the client', async t => {
    const started = await startServer(t, {
      authenticate: () => ({ userId: '42', data: { firstName: 'Ada' } }),
    });
    const connection = nextEvent(started.hub, 'connection');
    const page = await connect(started, { userId: 'x' });
    const [client] = await connection;
    assert.deepEqual(client.data, { firstName: 'Ada' });
    client.close(4001, 'Another device');
    assert.deepEqual(await page.closed, { code: 4001, reason: 'Another device' });
  });

  it('an action of the bot is answered by a ws server on another path', async t => {
    const started = await startServer(t);
    const wss = new WebSocket.Server({ server: started.server, path: '/ws/chat' });
    t.after(() => wss.close());
    wss.on('connection', socket => socket.on('message', text => socket.send(`said ${text}`)));
    const page = await connect(started, { userId: 'ada' });
    page.send({ action: 'SAY', text: 'hello' });
    assert.equal((await page.nextMessage()).error, 'Unknown action');
    const chat = dial({ ...started, url: started.url.replace('/ws/rooms', '/ws/chat') });
    await chat.opened;
    assert.equal(await chat.ask('hello'), 'said hello');
  });

  it('calls and options that were taken in silence are refused by name', async t => {
    const { hub, server } = await startServer(t);
    assert.throws(() => hub.close(() => {}), /options/);
    assert.throws(
      () => setupRoomWebSocketServer(server, { clientTracking: true }),
      /clientTracking/,
    );
    assert.throws(() => broadcastRoomUpdate(1, 'Ada', undefined, 50, 'join'), /currentCount/);
    assert.throws(() => broadcastRoomUpdate(1, 'Ada', 1, 50, 'joined'), /eventType/);
  });
});
