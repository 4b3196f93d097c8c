'use strict';

// The bot of the README and its pages: what the documents let somebody copy, run as it stands.

const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const path = require('node:path');
const { describe, it } = require('node:test');
const express = require('express');
const WebSocket = require('ws');
const { needsBrowser, useBrowser } = require('./support/browser');
const { linesOf } = require('./support/console');
const { codeIn, root } = require('./support/documents');
const { substitute } = require('./support/nginx');
const { closeServer, startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const README = nth => codeIn('README.md', 'Add it to your bot', 'js', nth);
const [BOT, PAGE, SERVES_CLIENT] = [README(0), README(1), README(2)];
const CLIENT_PAGE = codeIn('README.md', 'Add it to your bot', 'html', 0);
const CLIENT = {
  serves: codeIn('docs/client.md', 'In a page', 'js', 0),
  page: codeIn('docs/client.md', 'In a page', 'html', 0),
  polling: codeIn('docs/client.md', 'Polling', 'js', 0),
};

/** As a bot's file would find it. */
const requireAsBot = createRequire(path.join(root, 'package.json'));

/** Runs the README's bot, with more behind it: `{ app, rooms, host }`. */
async function startBot(t, more = '') {
  const code = substitute(BOT, [['server.listen(3000)', "server.listen(0, '127.0.0.1')"]]);
  const { app, server, rooms } = new Function(
    ...['require', 'path'],
    `${code}\n${more}\nreturn { app, server, rooms };`,
  )(requireAsBot, path);
  t.after(async () => {
    await rooms.close({ graceMs: 100 });
    if (server.listening) await closeServer(server);
  });
  if (!server.listening) await nextEvent(server, 'listening');
  return { app, rooms, host: `127.0.0.1:${server.address().port}` };
}

const join = host => fetch(`http://${host}/rooms/1/join`, { method: 'POST' });

it('the README brings a count from a bot to a page', async t => {
  const { rooms, host } = await startBot(t);
  const lines = [];
  let socket;
  class PageWebSocket extends WebSocket {
    constructor(url) {
      super(url);
      socket = this;
    }
  }
  new Function('WebSocket', 'window', 'console', PAGE)(
    PageWebSocket,
    { location: { host } },
    { log: line => lines.push(line) },
  );
  t.after(() => socket.terminate());
  await until(() => rooms.getClientCount(1) === 1, 'the page in room 1');
  await join(host);
  await until(() => lines.includes('25 of 50'), 'the count');
});

it('a room is polled by its newest state', async t => {
  const app = express();
  const { hub, port } = await startServer(t, { app });
  new Function('app', 'rooms', CLIENT.polling)(app, hub);
  const ask = id => fetch(`http://127.0.0.1:${port}/api/rooms/${id}`);
  hub.broadcastParticipantCount(1, 25, 50);
  const known = await ask(1);
  assert.equal(known.headers.get('cache-control'), 'private, no-cache');
  assert.deepEqual(await known.json(), { ...hub.getRoomState(1) });
  const unknown = await ask(2);
  assert.equal(unknown.status, 404);
  assert.deepEqual(await unknown.json(), { error: 'Room not found' });
});

describe("the browser's client", needsBrowser, () => {
  const open = useBrowser();

  async function openPage(t, url) {
    const page = await open(t);
    const lines = linesOf(page);
    await page.goto(url);
    return lines;
  }

  it('is served and used as the README says', async t => {
    const { app, rooms, host } = await startBot(t, SERVES_CLIENT);
    app.get('/', (_, response) => response.send(`<!doctype html>${CLIENT_PAGE}`));
    const lines = await openPage(t, `http://${host}/`);
    await until(() => rooms.getClientCount(1) === 1, 'the page in room 1');
    await join(host);
    await until(() => lines.includes('25 of 50'), 'the count');
  });

  it('is served and used as its own document says', async t => {
    const app = new Function('require', `${CLIENT.serves}\nreturn app;`)(requireAsBot);
    app.get('/', (_, response) => response.send(`<!doctype html>${CLIENT.page}`));
    const { hub, port } = await startServer(t, {
      app,
      authenticate: () => 'ada',
      authorizeJoin: () => allowed,
    });
    let allowed = true;
    hub.broadcastParticipantCount(1, 25, 50);
    const lines = await openPage(t, `http://127.0.0.1:${port}/`);
    await until(() => lines.includes('1: 25 of 50'), 'the count');
    assert.ok(lines.includes('live'));

    allowed = false;
    const refused = await openPage(t, `http://127.0.0.1:${port}/`);
    await until(() => refused.includes('Access denied to this room 1'), 'the error');
  });
});
