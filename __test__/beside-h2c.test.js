'use strict';

// A request whose `Upgrade` names something other than websocket is an ordinary request (Java's
// HTTP client offers h2c with every first one). What the app answers is compared, byte for byte,
// with a server without a hub.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const express = require('express');
const { serveBeside } = require('./support/beside');
const { RawClient, openRaw, upgradeRequest } = require('./support/raw');
const { closeServer, createServer, listen } = require('./support/server');
const { until } = require('./support/wait');

const H2C = {
  Connection: 'Upgrade, HTTP2-Settings',
  Upgrade: 'h2c',
  'HTTP2-Settings': 'AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
};

/** A bot's API: it tells what it was asked, the body included. */
function createApp() {
  const app = express();
  app.use(express.text({ type: '*/*', limit: '10mb' }));
  app.use((request, response) => {
    response.type('text').send(`${request.method} ${request.url} <${request.body ?? ''}> answered`);
  });
  return app;
}

/** A request's bytes; `headers` as upgradeRequest takes them. */
function ask(method, target, { headers = H2C, body = '', ...more } = {}) {
  const all = { 'Sec-WebSocket-Version': null, 'Sec-WebSocket-Key': null, ...headers, ...more };
  if (method === 'POST') all['Content-Type'] = 'text/plain';
  if (body && !all['Transfer-Encoding']) all['Content-Length'] = Buffer.byteLength(body);
  return upgradeRequest({ method, target, headers: all }) + body;
}

const PLAIN = { Connection: 'keep-alive', Upgrade: null };
const GOODBYE = ask('GET', '/goodbye', { headers: { Connection: 'close', Upgrade: null } });

/**
 * All that a server answers to `steps`, each sent when the one before has been answered; a last one
 * ends it.
 */
async function conversation(server, steps) {
  const { socket } = await openRaw(server);
  let text = '';
  const ended = new Promise(resolve => socket.once('close', resolve));
  socket.on('data', bytes => {
    text += bytes.toString('latin1');
  });
  const heads = () => text.split('\r\n\r\n').length - 1;
  let expected = 0;
  for (const { pieces, answers = 1, end = ' answered' } of [...steps, { pieces: [GOODBYE] }]) {
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise(resolve => setImmediate(resolve));
    }
    expected += answers;
    await until(
      () => (heads() >= expected && text.endsWith(end)) || socket.destroyed,
      () => `answer ${expected} of: ${text}`,
    );
  }
  // A server that pipelines may keep the connection for a while, whatever the last request asks
  // for.
  socket.end();
  await ended;
  return text.replace(/^Date: .*\r\n/gm, '');
}

const body = '{"name":"Zoe","rooms":[1,2,3]}';
const chunked = { ...H2C, 'Transfer-Encoding': 'chunked' };
const chunks = `5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`;
const large = 'x'.repeat(300_000);

/** Name, and the steps of the conversation. */
const conversations = {
  'a GET': [{ pieces: [ask('GET', '/api/rooms/1')] }],
  'a GET of our own path': [{ pieces: [ask('GET', '/ws/rooms?userId=1')] }],
  'a GET that wants to be closed': [
    {
      pieces: [
        ask('GET', '/', { headers: { ...H2C, Connection: 'Upgrade, HTTP2-Settings, close' } }),
      ],
    },
  ],
  'a POST with its body behind it': [{ pieces: [ask('POST', '/api/rooms/1/join', { body })] }],
  'a POST to our own path': [{ pieces: [ask('POST', '/ws/rooms', { body })] }],
  'a POST with its body in pieces': [
    { pieces: [ask('POST', '/', { body }).slice(0, -20), body.slice(-20, -7), body.slice(-7)] },
  ],
  'a request in pieces': [
    { pieces: [ask('POST', '/', { body }).slice(0, 30), ask('POST', '/', { body }).slice(30)] },
  ],
  'a POST in chunks': [{ pieces: [ask('POST', '/', { headers: chunked }) + chunks] }],
  'a POST in chunks and pieces': [
    { pieces: [ask('POST', '/', { headers: chunked }), chunks.slice(0, 9), chunks.slice(9)] },
  ],
  'a large POST': [{ pieces: [ask('POST', '/', { body: large })] }],
  'a HEAD': [{ pieces: [ask('HEAD', '/')], end: '\r\n\r\n' }, { pieces: [ask('GET', '/next')] }],
  'several on one connection, one after the other': [
    { pieces: [ask('GET', '/1')] },
    { pieces: [ask('POST', '/2', { body })] },
    { pieces: [ask('POST', '/3', { headers: PLAIN, body })] },
    { pieces: [ask('POST', '/ws/rooms', { body: large })] },
    { pieces: [ask('GET', '/5', { headers: PLAIN })] },
    { pieces: [ask('GET', '/ws/rooms')] },
  ],
  // Node drops what comes behind such a request in the same segment, so it is the last here.
  'several on one connection, all at once': [
    {
      pieces: [
        ask('GET', '/1', { headers: PLAIN }) +
          ask('POST', '/2', { headers: PLAIN, body }) +
          ask('POST', '/ws/rooms', { body }),
      ],
      answers: 3,
    },
  ],
  'something that nobody knows': [
    { pieces: [ask('GET', '/', { headers: { Connection: 'Upgrade', Upgrade: 'irc/6.9' } })] },
  ],
  'a list without websocket': [
    {
      pieces: [
        ask('GET', '/ws/rooms', { headers: { Connection: 'Upgrade', Upgrade: 'h2c, foo/1' } }),
      ],
    },
  ],
};

for (const form of ['http', 'https']) {
  describe(`Upgrade: h2c, ${form}`, () => {
    for (const [name, steps] of Object.entries(conversations)) {
      it(`is served as without us: ${name}`, async t => {
        const reference = createServer(form, createApp());
        const plain = {
          secure: form === 'https',
          port: await listen(reference),
          clients: [],
        };
        t.after(() => closeServer(reference));
        const started = await serveBeside(t, { form, app: createApp() });
        const [expected, got] = [
          await conversation(plain, steps),
          await conversation(started, steps),
        ];
        assert.ok(expected.includes('HTTP/1.1 200'), expected);
        assert.ok(!/POST \S+ <> /.test(expected), 'no body has been read');
        assert.equal(got, expected);
      });
    }

    it('leaves a connection that may become a WebSocket afterwards', async t => {
      const started = await serveBeside(t, { form, app: createApp() });
      const { socket } = await openRaw(started);
      let text = '';
      const listener = bytes => {
        text += bytes.toString('latin1');
      };
      socket.on('data', listener);
      socket.write(ask('POST', '/api', { body }));
      await until(
        () => text.endsWith(' answered'),
        () => text,
      );
      socket.off('data', listener);
      const raw = new RawClient(socket);
      raw.write(upgradeRequest());
      assert.equal((await raw.response()).status, 101);
      assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
    });

    it("is left to the bot's own upgrade listener where it has one", async t => {
      const started = await serveBeside(t, { form, app: createApp() });
      started.server.on('upgrade', (request, socket) => {
        socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nyours: ${request.headers.upgrade}`);
      });
      const raw = await openRaw(started);
      raw.write(ask('GET', '/'));
      await raw.closed;
      assert.equal(raw.body.toString(), 'yours: h2c');
    });
  });
}
