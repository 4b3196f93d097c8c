'use strict';

// docs/protocol.md: its messages are those of the wire, and its client does what it says.

const assert = require('node:assert/strict');
const { it } = require('node:test');
const WebSocket = require('ws');
const { setupRoomWebSocketServer } = require('..');
const { connect, dial } = require('./support/client');
const { blocksOf, codeIn } = require('./support/documents');
const { startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const DOCUMENT = 'docs/protocol.md';
const URL_EXAMPLE = codeIn(DOCUMENT, 'Connecting', 'text', 0);

/** What is another each time. */
const CHANGING = ['timestamp', 'seq', 'epoch'];

const messages = blocksOf(DOCUMENT)
  .filter(({ language }) => language === 'json')
  .map(({ place, code }) => ({ place, message: JSON.parse(code) }));
const kindOf = ({ type, action }) => type ?? action;

/** One message of the document, by its type. */
const documented = type => messages.find(({ message }) => message.type === type).message;

it('the messages are as they are on the wire', async t => {
  const server = await startServer(t);
  const { searchParams, pathname } = new URL(URL_EXAMPLE);
  assert.equal(pathname, server.path);
  const client = dial(server, { query: `?${searchParams}` });
  await client.opened;
  const received = [await client.nextMessage()];
  const others = documented('ROOM_STATUS').connectedClients - 1;
  for (let nth = 0; nth < others; nth += 1) await (await connect(server)).join(1);

  const [fresh, back] = messages
    .map(({ message }) => message)
    .filter(({ action }) => action === 'JOIN_ROOM');
  assert.deepEqual(fresh, { action: 'JOIN_ROOM', roomId: 1 });
  assert.deepEqual(Object.keys(back), ['action', 'roomId', 'lastSeq', 'epoch']);
  const { seq, epoch } = JSON.parse(await client.ask(fresh));
  // Who is in a room cannot come back to it.
  await client.ask({ action: 'LEAVE_ROOM', roomId: 1 });
  received.push(JSON.parse(await client.ask({ ...back, lastSeq: seq, epoch })));
  received.push(JSON.parse(await client.ask({ action: 'GET_ROOM_STATUS', roomId: 1 })));
  server.hub.broadcastRoomUpdate(1, 'John Doe', 25, 50, 'join');
  const { epoch: _, ...update } = await client.nextMessage();
  received.push(update);
  received.push(JSON.parse(await client.ask({ action: 'LEAVE_ROOM', roomId: 1 })));
  received.push(JSON.parse(await client.ask({ action: 'PING' })));
  received.push(JSON.parse(await client.ask({ action: documented('ERROR').action })));

  for (const message of received) {
    const expected = documented(message.type);
    assert.deepEqual(Object.keys(message), Object.keys(expected), message.type);
    for (const [field, value] of Object.entries(message)) {
      if (CHANGING.includes(field)) assert.equal(typeof value, typeof expected[field], field);
      else assert.deepEqual(value, expected[field], `${message.type}.${field}`);
    }
  }
  assert.deepEqual(
    received.map(kindOf).sort(),
    messages
      .map(({ message }) => message.type)
      .filter(Boolean)
      .sort(),
  );
});

it('the client comes back where it was', async t => {
  const rooms = setupRoomWebSocketServer({ host: '127.0.0.1', port: 0 });
  t.after(() => rooms.close({ graceMs: 100 }));
  const host = `127.0.0.1:${rooms.address().port}`;
  const code = codeIn(DOCUMENT, 'A client that does everything right', 'js', 0);
  assert.match(code, /`wss:/);

  const sent = [];
  const lines = [];
  const sockets = [];
  class PageWebSocket extends WebSocket {
    constructor(url) {
      super(url);
      sockets.push(this);
    }
    send(text) {
      sent.push(JSON.parse(text));
      super.send(text);
    }
  }
  const timers = [];
  new Function('WebSocket', 'window', 'console', 'setTimeout', code.replace('`wss:', '`ws:'))(
    PageWebSocket,
    { location: { host } },
    { log: line => lines.push(line), error: line => lines.push(line) },
    callback => timers.push(callback),
  );
  t.after(() => {
    for (const socket of sockets) socket.terminate();
  });

  await until(() => rooms.getClientCount(1) === 1, 'the page in room 1');
  assert.deepEqual(sent, [{ action: 'JOIN_ROOM', roomId: 1 }]);
  rooms.broadcastParticipantCount(1, 1, 50);
  await until(() => lines.length === 1, 'the first count');
  sockets[0].terminate();
  await until(() => timers.length === 1 && rooms.getClientCount(1) === 0, 'the interruption');
  rooms.broadcastParticipantCount(1, 2, 50);
  rooms.broadcastParticipantCount(1, 3, 50);
  timers.pop()();
  await until(() => lines.length === 3, 'the counts that were missed');
  assert.deepEqual(lines, ['1 of 50', '2 of 50', '3 of 50']);
  assert.equal(sent[1].lastSeq, rooms.getRoomState(1).seq - 2);
  assert.equal(sent[1].epoch, rooms.getRoomState(1).epoch);

  // 1008 is final.
  rooms.disconnectUser('123456789');
  await nextEvent(sockets[1], 'close');
  assert.equal(timers.length, 0);
});
