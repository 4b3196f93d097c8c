'use strict';

// The page code of the predecessor's integration guide, run as it stands there by a real browser, on
// pages of an Express app whose server is the hub's too.

const assert = require('node:assert/strict');
const http = require('node:http');
const path = require('node:path');
const { after, before, beforeEach, describe, it } = require('node:test');
const express = require('express');
const { setupRoomWebSocketServer } = require('..');
const { needsBrowser, useBrowser } = require('./support/browser');
const { linesOf, typeInto } = require('./support/console');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { closeServer, listen } = require('./support/server');
const { pageCode } = require('./support/sitting');
const { until } = require('./support/wait');

const guide = codeBlocks(path.join(__dirname, 'fixtures/integration-guide.md'));
const guideCode = heading => codeUnder(guide, heading, 'javascript');

/** What the guide takes for granted of a page: it says who the user is and shows a room. */
const PAGE = `<!doctype html><p id="room"></p><script>
  window.userId = '123456789';
  const shown = [];
  function updateRoomUI(room) {
    shown.push(room);
    document.getElementById('room').textContent =
      \`\${room.currentParticipants}/\${room.maxParticipants}\`;
  }
</script>`;

/** Replaces what is there exactly once. */
function replaceOnce(text, what, by) {
  assert.equal(text.split(what).length, 2, `${what} is there once`);
  return text.replace(what, () => by);
}

/** What a page's next WebSocket is sent, parsed; `closed` resolves with all of it. */
function messagesOf(page) {
  const messages = [];
  const closed = new Promise(resolve => {
    page.once('websocket', socket => {
      socket.on('framereceived', ({ payload }) => messages.push(JSON.parse(payload)));
      socket.once('close', () => resolve(messages));
    });
  });
  return { messages, closed };
}

describe('the page code of the guide', needsBrowser, () => {
  const open = useBrowser();
  let rooms;
  let server;
  let origin;
  let room = 100;

  before(async () => {
    const app = express();
    app.get('/', (_req, res) => res.type('html').send(PAGE));
    app.get('/api/rooms/:id', (req, res) => res.json(rooms.getRoomState(req.params.id)));
    server = http.createServer(app);
    rooms = setupRoomWebSocketServer(server);
    origin = `127.0.0.1:${await listen(server)}`;
  });
  after(async () => {
    await rooms.close({ graceMs: 100 });
    if (server.listening) await closeServer(server);
  });
  beforeEach(() => {
    room += 1;
  });

  async function openPage(t) {
    const page = await open(t);
    await page.goto(`http://${origin}/`);
    return page;
  }

  it('connects, joins, shows counts, and notices the end', async t => {
    const page = await openPage(t);
    const lines = linesOf(page);
    const code = replaceOnce(guideCode('Connect to WebSocket'), 'localhost:3000', origin);
    await page.addScriptTag({ content: code });
    await until(() => rooms.getClientCount(1) === 1, 'the page in room 1');
    rooms.broadcastRoomUpdate(1, 'John Doe', 25, 50, 'join');
    await until(() => lines.includes('Room 1 - 25/50'), 'the count');
    rooms.disconnectRoom(1);
    await until(() => lines.includes('Disconnected from room updates'), 'the close event');
    assert.deepEqual(lines, [
      'Connected to room updates',
      'Room 1 - 25/50',
      'Disconnected from room updates',
    ]);

    // Loaded again, it need not wait for somebody to come or go.
    await page.reload();
    lines.length = 0;
    await page.addScriptTag({ content: code });
    await until(() => lines.length === 2, 'the snapshot');
    assert.deepEqual(lines, ['Connected to room updates', 'Room 1 - 25/50']);
  });

  it('polls where it has no WebSocket', async t => {
    rooms.broadcastParticipantCount(room, 25, 50);
    const page = await openPage(t);
    const shows = text => page.locator('#room', { hasText: text }).waitFor();
    await page.addScriptTag({ content: guideCode('Fallback (Polling)') });
    await page.evaluate(id => window.pollRoomUpdates(id, 20), room);
    await shows('25/50');
    rooms.broadcastRoomUpdate(room, 'John Doe', 26, 50, 'join');
    await shows('26/50');
  });

  it('of the web app is told nothing of its room, since it never joins', async t => {
    const page = await openPage(t);
    const { messages, closed } = messagesOf(page);
    await page.addScriptTag({ content: guideCode('Webapp Integration') });
    await page.evaluate(id => window.joinRoom(id, false), room);
    await until(() => messages.length === 1, 'CONNECTION_ESTABLISHED');
    rooms.broadcastRoomUpdate(room, 'John Doe', 25, 50, 'join');
    rooms.disconnectUser('123456789');
    assert.deepEqual(
      (await closed).map(({ type }) => type),
      ['CONNECTION_ESTABLISHED'],
    );
    assert.deepEqual(await page.evaluate('shown'), []);
  });

  it('of the web app is told, with what the migration document adds', async t => {
    const page = await openPage(t);
    const code = guideCode('Webapp Integration');
    const [opening] = /const ws = new WebSocket\(.*\);/.exec(code);
    const addition = pageCode("The web app's short snippet");
    await page.addScriptTag({ content: replaceOnce(code, opening, `${opening}\n${addition}`) });
    await page.evaluate(id => window.joinRoom(id, false), room);
    await until(() => rooms.getClientCount(room) === 1, 'the page in its room');
    rooms.broadcastRoomUpdate(room, 'John Doe', 25, 50, 'join');
    await page.locator('#room', { hasText: '25/50' }).waitFor();
    const shown = await page.evaluate('shown');
    assert.deepEqual(
      shown.map(({ type, event }) => event ?? type),
      ['ROOM_JOINED', 'USER_JOINED'],
    );
  });

  it('of the console is answered', async t => {
    const page = await openPage(t);
    const { messages } = messagesOf(page);
    const lines = linesOf(page);
    await typeInto(page, guideCode('Test WebSocket Connection'));
    await until(() => messages.length === 2 && lines.length === 3, 'the PONG');
    assert.deepEqual(
      messages.map(({ type }) => type),
      ['CONNECTION_ESTABLISHED', 'PONG'],
    );
    assert.deepEqual(
      lines.map(line => line.split(' ')[0]),
      ['Connected', 'Message:', 'Message:'],
    );
  });
});
