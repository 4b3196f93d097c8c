'use strict';

// What users of the predecessor were told in its integration guide, run as it stands there.

const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const path = require('node:path');
const { after, afterEach, before, describe, it } = require('node:test');
const vm = require('node:vm');
const express = require('express');
const WebSocket = require('ws');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { closeServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const bot = path.join(__dirname, '../examples/bot');
const guide = codeBlocks(path.join(__dirname, 'fixtures/integration-guide.md'));
const AsyncFunction = (async () => {}).constructor;

/** `require` as a file of the bot has it. */
const requireFrom = file => createRequire(path.join(bot, file));
const MainRoomController = requireFrom('src/bot/core/bot.js')(
  '../api/controllers/mainRoomController',
);
const HangoutGroupModel = requireFrom('src/bot/core/bot.js')('../../models/hangoutGroupModel');
const database = requireFrom('src/bot/core/bot.js')('../../database');

/**
 * Runs a block of the guide with the names it takes for granted; gives the value of `result`, an
 * expression.
 */
function runBlock(code, names, result = 'undefined') {
  return new AsyncFunction(...Object.keys(names), `${code}\nreturn ${result};`)(
    ...Object.values(names),
  );
}

let server;
let wss;
let origin;
const sockets = [];
const logged = [];

/** What a browser has: a WebSocket that talks to this test's server, and remembers itself here. */
class BrowserWebSocket extends WebSocket {
  constructor(url) {
    super(url.replace('localhost:3000', origin));
    sockets.push(this);
  }
}

const logger = { info: line => logged.push(line) };
const browser = () => ({
  WebSocket: BrowserWebSocket,
  window: { WebSocket: BrowserWebSocket, location: { protocol: 'http:', host: origin } },
});

function recordingConsole() {
  const lines = [];
  const log = (...words) => lines.push(words);
  return { lines, log, error: log };
}

/** A socket of the test's own, and its messages. */
async function connect(userId) {
  const socket = new BrowserWebSocket(`ws://${origin}/ws/rooms?userId=${userId}`);
  const messages = [];
  socket.on('message', bytes => messages.push(JSON.parse(bytes)));
  await until(() => messages.length > 0, 'CONNECTION_ESTABLISHED');
  return {
    messages,
    send: message => socket.send(JSON.stringify(message)),
    newest: () => messages.at(-1),
    arrived: type =>
      until(() => messages.find(message => message.type === type), `${type} for ${userId}`),
  };
}

before(async () => {
  const apiApp = express();
  // The page's user, whom the guide takes for granted.
  const user = { id: '123456789', name: 'John Doe' };
  await HangoutGroupModel.joinMainGroups(user.id);
  apiApp.use((req, _res, next) => {
    req.user = user;
    next();
  });
  apiApp.get('/api/rooms/:id', MainRoomController.loadRoom, MainRoomController.getRoom);
  const change = codeUnder(guide, '2. Update Bot Server Setup', 'javascript', 1);
  assert.match(change, /'0\.0\.0\.0'/);
  ({ server, wss } = await runBlock(
    change.replace("'0.0.0.0'", "'127.0.0.1'"),
    { require: requireFrom('src/bot/core/bot.js'), apiApp, PORT: 0, prefix: '', logger },
    '{ server, wss }',
  ));
  apiApp.set('rooms', wss);
  if (!server.listening) await nextEvent(server, 'listening');
  origin = `127.0.0.1:${server.address().port}`;
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await until(() => wss.getStats().openConnections === 0, 'the end of every connection');
});

after(async () => {
  await wss.close();
  if (server.listening) await closeServer(server);
  await database.close();
});

describe('the bot', () => {
  it('starts as before', () => {
    assert.deepEqual(logged, [
      '✓ API server running on port 0',
      '✓ WebSocket server running on ws://0.0.0.0:0/ws/rooms',
    ]);
  });

  it('tells pages from joinRoom and leaveRoom', async () => {
    const page = await connect('controllers');
    page.send({ action: 'JOIN_ROOM', roomId: 7 });
    await page.arrived('ROOM_JOINED');
    const MainRoomModel = {
      getById: async id => ({ id, currentParticipants: 25, maxParticipants: 50 }),
    };

    await runBlock(codeUnder(guide, '3. Integrate with MainRoomController', 'javascript', 0), {
      require: requireFrom('src/bot/api/controllers/mainRoomController.js'),
      MainRoomModel,
      room: { id: 7 },
      userName: 'John Doe',
    });
    const joined = await page.arrived('ROOM_UPDATE');
    assert.equal(joined.event, 'USER_JOINED');
    assert.equal(joined.participantName, 'John Doe');

    await runBlock(codeUnder(guide, '3. Integrate with MainRoomController', 'javascript', 1), {
      broadcastRoomUpdate: requireFrom('src/bot/api/controllers/mainRoomController.js')(
        '../../websocket/roomWebSocketHandler',
      ).broadcastRoomUpdate,
      MainRoomModel,
      roomId: '7',
      auth: { user: {} },
    });
    await until(() => page.newest().event === 'USER_LEFT', 'USER_LEFT');
    assert.equal(page.newest().participantName, 'User');
    assert.equal(page.newest().roomId, 7);
  });

  it('reads the same statistics', async () => {
    for (const [userId, rooms] of Object.entries({ s1: [1, 2], s2: [1, 2], s3: [1] })) {
      const page = await connect(userId);
      for (const roomId of rooms) {
        page.send({ action: 'JOIN_ROOM', roomId });
        await until(() => page.newest().roomId === roomId, `ROOM_JOINED of room ${roomId}`);
      }
    }
    const code = codeUnder(guide, 'Check Server Stats', 'javascript');
    const expected = vm.runInNewContext(`(${/Output: (.*)/.exec(code)[1]})`);
    const console = recordingConsole();
    await runBlock(code, { require: requireFrom('bot.js'), console });
    const [[stats]] = console.lines;
    for (const [key, value] of Object.entries(expected)) {
      const got = stats[key];
      // The rooms have no order.
      assert.deepEqual(
        Array.isArray(value) ? new Set(got) : got,
        Array.isArray(value) ? new Set(value) : value,
        key,
      );
    }
  });
});

describe('the page', () => {
  it('connects, joins and shows counts', async () => {
    const console = recordingConsole();
    await runBlock(codeUnder(guide, 'Connect to WebSocket', 'javascript'), {
      ...browser(),
      console,
    });
    await until(() => wss.getClientCount(1) === 1, 'the page in room 1');
    await until(
      () => console.lines.some(([line]) => line === 'Connected to room updates'),
      'the open event',
    );
    wss.broadcastRoomUpdate(1, 'John Doe', 25, 50, 'join');
    await until(() => console.lines.some(([line]) => line === 'Room 1 - 25/50'), 'the count');
    sockets.at(-1).close();
    await until(
      () => console.lines.some(([line]) => line === 'Disconnected from room updates'),
      'the close event',
    );
    await until(() => wss.getClientCount(1) === 0, 'the page out of room 1');
  });

  it('of the web app hears of its room, once it sends the JOIN_ROOM missing there', async () => {
    const shown = [];
    const [joinRoom] = await runBlock(
      codeUnder(guide, 'Webapp Integration', 'javascript'),
      { ...browser(), userId: 'webapp', updateRoomUI: message => shown.push(message) },
      '[joinRoom]',
    );
    await joinRoom(8, false);
    const socket = sockets.at(-1);
    await nextEvent(socket, 'message');
    assert.deepEqual(shown, []);
    socket.send(JSON.stringify({ action: 'JOIN_ROOM', roomId: 8 }));
    await until(() => wss.getClientCount(8) === 1, 'the page in room 8');
    wss.broadcastRoomUpdate(8, 'John Doe', 25, 50, 'join');
    await until(() => shown.at(-1)?.event === 'USER_JOINED', 'the update');
    assert.equal(shown.at(-1).currentParticipants, 25);
  });

  it('falls back to polling', async () => {
    const shown = [];
    let tick;
    const [pollRoomUpdates] = await runBlock(
      codeUnder(guide, 'Fallback (Polling)', 'javascript'),
      {
        setInterval: callback => {
          tick = callback;
        },
        fetch: route => fetch(`http://${origin}${route}`),
        updateRoomUI: room => shown.push(room),
      },
      '[pollRoomUpdates]',
    );
    wss.broadcastParticipantCount(1, 7, 50);
    await pollRoomUpdates(1);
    await tick();
    assert.equal(shown[0].currentParticipants, 7);
    assert.equal(shown[0].maxParticipants, 50);
  });

  it('answers a PING from the console', async () => {
    const console = recordingConsole();
    await runBlock(codeUnder(guide, 'Test WebSocket Connection', 'javascript'), {
      ...browser(),
      console,
    });
    const pong = () => console.lines.find(([, message]) => message?.type === 'PONG');
    await until(pong, 'the PONG');
    assert.deepEqual(console.lines[0], ['Connected']);
  });
});

describe('the messages', () => {
  const documented = heading =>
    guide
      .filter(block => block.headings.includes(heading) && block.language === 'json')
      .map(block => JSON.parse(block.code));

  it('are what the guide shows, its fields first and in its order', async () => {
    const [join, leave, status, ping] = documented('Client to Server');
    const page = await connect('123456789');
    const arrivals = new Map([['CONNECTION_ESTABLISHED', page.newest()]]);
    page.send(join);
    await page.arrived('ROOM_JOINED');
    wss.broadcastRoomUpdate(1, 'John Doe', 25, 50, 'join');
    await until(() => page.newest().event === 'USER_JOINED', 'the update');
    arrivals.set('ROOM_UPDATE', page.newest());
    for (const message of [status, ping, leave]) page.send(message);
    await until(() => page.newest().type === 'ROOM_LEFT', 'ROOM_LEFT');
    for (const message of page.messages) {
      if (['ROOM_STATUS', 'PONG'].includes(message.type)) arrivals.set(message.type, message);
    }

    const expected = documented('Server to Client');
    assert.deepEqual([...arrivals.keys()].sort(), expected.map(({ type }) => type).sort());
    for (const message of expected) {
      const got = arrivals.get(message.type);
      const fields = Object.keys(message);
      assert.deepEqual(Object.keys(got).slice(0, fields.length), fields);
      for (const field of fields) {
        if (field === 'timestamp') assert.ok(!Number.isNaN(Date.parse(got[field])));
        else if (field === 'connectedClients') assert.ok(got[field] >= 1);
        else assert.equal(got[field], message[field], `${message.type}.${field}`);
      }
    }
  });
});
