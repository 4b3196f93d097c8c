'use strict';

// The small pieces of docs/deploy.md that a bot takes over, each doing what the text around it says. Its
// whole files have tests of their own (deploy-*, nginx-*).

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const http = require('node:http');
const { describe, it } = require('node:test');
const { sign } = require('cookie-signature');
const express = require('express');
const roomcast = require('..');
const { connect, dial } = require('./support/client');
const { codeIn } = require('./support/documents');
const { unless, versionOf } = require('./support/installed');
const { closeServer, listen, startServer } = require('./support/server');
const { nextEvent } = require('./support/wait');

const code = (heading, nth = 0, language = 'js') =>
  codeIn('docs/deploy.md', heading, language, nth);

const AsyncFunction = (async () => {}).constructor;

/** Runs a block with what it takes for granted. */
const runBlock = (text, given) =>
  new AsyncFunction(...Object.keys(given), text)(...Object.values(given));

/** A server with the hub that a block sets up on it. */
async function startWith(t, text, given = {}) {
  const server = http.createServer();
  const started = { path: '/ws/rooms', clients: [] };
  const setupRoomWebSocketServer = (on, options) => {
    started.hub = roomcast.setupRoomWebSocketServer(on, { logger: false, ...options });
    return started.hub;
  };
  t.after(async () => {
    for (const client of started.clients) client.terminate();
    await started.hub.close({ graceMs: 100 });
    if (server.listening) await closeServer(server);
  });
  const known = { server, setupRoomWebSocketServer, require: () => roomcast, ...given };
  await runBlock(text, known);
  started.url = `ws://127.0.0.1:${await listen(server)}/ws/rooms`;
  return started;
}

/** The code that a connection is closed with, or undefined where it is not. */
async function endOf(client) {
  const first = await Promise.race([client.closed, client.next().then(() => undefined)]);
  return first && `${first.code} ${first.reason}`;
}

describe('deploy.md', () => {
  it('has the address of clients from one proxy', async t => {
    const started = await startWith(t, code('Who the client is, behind a proxy'));
    const connected = new Promise(resolve => started.hub.once('connection', resolve));
    await connect(started, { headers: { 'X-Forwarded-For': '192.0.2.1, 192.0.2.2' } });
    assert.equal((await connected).remoteAddress, '192.0.2.2');
  });

  it('asks for a token, and for the room', async t => {
    const ada = { id: 7, tokenExpiresAt: Date.now() + 60_000 };
    const started = await startWith(t, code('Who may connect'), {
      usersByToken: async (token, { signal }) => {
        assert.ok(signal instanceof AbortSignal);
        return token === 'good' ? ada : undefined;
      },
      mayEnter: async (userId, roomId) => userId === '7' && roomId === 1,
    });
    const origin = 'https://bot.example';
    const client = await connect(started, { query: '?token=good', origin });
    await client.join(1);
    client.send({ action: 'JOIN_ROOM', roomId: 2 });
    assert.equal((await client.nextMessage()).error, 'Access denied to this room');
    assert.equal(await endOf(dial(started, { query: '?token=bad', origin })), '1008 Unauthorized');
    const foreign = dial(started, { query: '?token=good', origin: 'https://elsewhere.example' });
    await assert.rejects(foreign.opened, /403/);
  });

  it('takes the session of the Express app', async t => {
    process.env.SESSION_SECRET = 'a secret';
    t.after(() => {
      delete process.env.SESSION_SECRET;
    });
    const sessions = { s1: { user: { id: 7 }, cookie: { expires: Date.now() + 60_000 } } };
    const sessionStore = {
      get: (sid, done) =>
        sid === 'broken' ? done(new Error('the store is away')) : done(null, sessions[sid]),
    };
    const started = await startWith(t, code('Who may connect', 1), { sessionStore });
    const withCookie = sid =>
      dial(started, {
        userId: null,
        headers: { Cookie: `connect.sid=${encodeURIComponent(`s:${sign(sid, 'a secret')}`)}` },
      });
    assert.equal((await withCookie('s1').nextMessage()).userId, '7');
    assert.equal(await endOf(withCookie('s2')), '1008 Unauthorized');
    assert.equal(await endOf(withCookie('broken')), '1013 Try again later');
  });

  it('closes the hub in its own time, and then is done', async t => {
    const started = await startServer(t);
    const client = await connect(started);
    const closed = runBlock(code('Stopping and restarting', 1), {
      rooms: started.hub,
      server: started.server,
    });
    assert.equal((await client.closed).code, 1001);
    await closed;
    assert.equal(started.server.listening, false);
  });

  it('tells the hub of every room at the start', async t => {
    const { hub } = await startServer(t);
    await runBlock(code('Stopping and restarting', 2), {
      MainRoomModel: { list: async () => [{ id: 1, currentParticipants: 3, maxParticipants: 50 }] },
      roomWebSocketService: roomcast.roomWebSocketService,
    });
    assert.equal(hub.getRoomState(1).currentParticipants, 3);
  });

  it('says whether it is there, and its metrics', async t => {
    const app = express();
    const { hub, port } = await startServer(t, { app });
    await runBlock(code('Stopping and restarting', 4), { app });
    await runBlock(code('Watching it'), { app, rooms: hub });
    const ask = route => fetch(`http://127.0.0.1:${port}${route}`);
    assert.deepEqual(await (await ask('/healthz')).json(), { ok: true });
    const answer = await ask('/metrics');
    assert.match(answer.headers.get('content-type'), /^text\/plain/);
    assert.match(await answer.text(), /^roomcast_connections 0$/m);
  });

  const needsPgrep = { skip: unless(() => versionOf('pgrep') !== undefined, 'pgrep is') };
  it('reads the limit of descriptors of a bot that runs', needsPgrep, async t => {
    const idle = ['-e', 'setInterval(() => {}, 1_000)', 'src/bot/core/bot.js'];
    const bot = spawn(process.execPath, idle, { stdio: 'ignore' });
    t.after(() => bot.kill());
    await nextEvent(bot, 'spawn');
    // From stdin: what stands in its arguments, pgrep would find in the shell's own.
    const { stdout, stderr } = spawnSync('sh', {
      input: code('Descriptors', 0, 'sh'),
      encoding: 'utf8',
    });
    assert.match(stdout, /^Max open files +\S+ +\S+ +files/, stderr);
  });
});
