'use strict';

// Upgrade requests by raw sockets: what is refused and how, what a good one is answered, and what
// comes behind it in the same segment.

const assert = require('node:assert/strict');
const { createHash, randomBytes } = require('node:crypto');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const {
  OPCODE,
  SAMPLE_ACCEPT,
  frame,
  openRaw,
  textFrame,
  upgradeRequest,
} = require('./support/raw');
const { FORMS, startServer } = require('./support/server');
const { until } = require('./support/wait');

/**
 * Sends these bytes and gives the response; the connection must end by itself where it is a
 * refusal.
 */
async function answerTo(server, bytes) {
  const raw = await openRaw(server);
  raw.write(bytes);
  const response = await raw.response();
  if (response.status === 101) raw.terminate();
  else await raw.closed;
  return response;
}

const PONG = /^\{"type":"PONG"/;

for (const form of FORMS) {
  describe(`a refused upgrade, ${form}`, () => {
    const malformed = {
      'no key': { 'Sec-WebSocket-Key': null },
      'an empty key': { 'Sec-WebSocket-Key': '' },
      'a key of 15 bytes': { 'Sec-WebSocket-Key': randomBytes(15).toString('base64') },
      'a key of 17 bytes': { 'Sec-WebSocket-Key': randomBytes(17).toString('base64') },
      'a key that is not base64': { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' },
    };
    for (const [name, headers] of Object.entries(malformed)) {
      it(`is 400 for ${name}`, async t => {
        const server = await startServer(t, { form });
        assert.equal((await answerTo(server, upgradeRequest({ headers }))).status, 400);
        await connect(server);
      });
    }

    it('is 426 with the version for a version that is not 13', async t => {
      const server = await startServer(t, { form });
      for (const version of ['8', '0', '14', 'x']) {
        const request = upgradeRequest({ headers: { 'Sec-WebSocket-Version': version } });
        const { status, headers } = await answerTo(server, request);
        assert.equal(status, 426, version);
        assert.equal(headers['sec-websocket-version'], '13');
      }
    });

    it('is 405 for another method', async t => {
      const server = await startServer(t, { form });
      for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
        assert.equal((await answerTo(server, upgradeRequest({ method }))).status, 405, method);
      }
    });

    it('is 403 for a page that is not allowed', async t => {
      const server = await startServer(t, { form, allowedOrigins: ['https://page.example'] });
      const from = async Origin =>
        (await answerTo(server, upgradeRequest({ headers: { Origin } }))).status;
      assert.equal(await from('https://evil.example'), 403);
      assert.equal(await from('https://page.example'), 101);
    });

    it('is 503 over the limit of all, 429 over that of one address, each with Retry-After', async t => {
      for (const [option, expected] of [
        ['maxConnections', 503],
        ['maxConnectionsPerIp', 429],
      ]) {
        const server = await startServer(t, { form, [option]: 2 });
        const first = await connect(server);
        await connect(server);
        const { status, headers } = await answerTo(server, upgradeRequest());
        assert.equal(status, expected);
        assert.ok(Number(headers['retry-after']) > 0, headers['retry-after']);
        await first.close();
        await until(() => server.hub.getStats().openConnections === 1, 'a free place');
        await connect(server);
      }
    });
  });

  describe(`an upgrade, ${form}`, () => {
    it('is answered with the 101 that RFC 6455 asks for, and nothing negotiated', async t => {
      const server = await startServer(t, { form });
      const headers = {
        'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits',
        'Sec-WebSocket-Protocol': 'chat, superchat',
      };
      const { status, headers: answer } = await answerTo(server, upgradeRequest({ headers }));
      assert.equal(status, 101);
      assert.equal(answer.upgrade.toLowerCase(), 'websocket');
      assert.equal(answer.connection.toLowerCase(), 'upgrade');
      assert.equal(answer['sec-websocket-accept'], SAMPLE_ACCEPT);
      assert.equal(answer['sec-websocket-extensions'], undefined);
      assert.equal(answer['sec-websocket-protocol'], undefined);
    });

    it('is answered for its own key', async t => {
      const server = await startServer(t, { form });
      const key = randomBytes(16).toString('base64');
      const { headers } = await answerTo(
        server,
        upgradeRequest({ headers: { 'Sec-WebSocket-Key': key } }),
      );
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
      assert.equal(headers['sec-websocket-accept'], accept.digest('base64'));
    });

    it('may write its headers as other clients do', async t => {
      const server = await startServer(t, { form });
      for (const headers of [
        { Upgrade: 'WebSocket' },
        { Connection: 'keep-alive, Upgrade' },
        { Connection: 'upgrade' },
        { Upgrade: null, UPGRADE: 'websocket', Connection: null, CONNECTION: 'UPGRADE' },
      ]) {
        assert.equal((await answerTo(server, upgradeRequest({ headers }))).status, 101);
      }
    });

    it('takes the path to the letter and the query aside', async t => {
      const server = await startServer(t, { form });
      const statusOf = async target => (await answerTo(server, upgradeRequest({ target }))).status;
      assert.equal(await statusOf('/ws/rooms'), 101);
      assert.equal(await statusOf('/ws/rooms?'), 101);
      assert.equal(await statusOf('/ws/rooms?userId=1&x=/other'), 101);
      for (const target of ['/ws/rooms/', '/ws/Rooms', '/ws', '/ws/rooms2', '/', '/ws/rooms%3Fx']) {
        assert.equal(await statusOf(target), 404, target);
      }
    });

    it('keeps frames that came in the same segment', async t => {
      const server = await startServer(t, { form });
      const raw = await openRaw(server);
      const frames = [textFrame({ action: 'PING' }), textFrame({ action: 'JOIN_ROOM', roomId: 1 })];
      raw.write(Buffer.concat([Buffer.from(upgradeRequest()), ...frames]));
      assert.equal((await raw.response()).status, 101);
      assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
      assert.match(await raw.nextText(), PONG);
      assert.match(await raw.nextText(), /ROOM_JOINED/);
    });

    it('keeps half a frame that came in the same segment, wherever it is cut', async t => {
      const server = await startServer(t, { form });
      const message = frame(OPCODE.text, `{"action":"PING","pad":"${'x'.repeat(200)}"}`);
      for (const cut of [1, 2, 3, 4, 6, 8, 9, 100, message.length - 1]) {
        const raw = await openRaw(server);
        raw.write(Buffer.concat([Buffer.from(upgradeRequest()), message.subarray(0, cut)]));
        assert.equal((await raw.response()).status, 101);
        assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
        raw.write(message.subarray(cut));
        assert.match(await raw.nextText(), PONG);
        raw.terminate();
      }
    });

    it('keeps many frames and a half that came in the same segment', async t => {
      const server = await startServer(t, { form, messageBurst: 10_000 });
      const raw = await openRaw(server);
      const frames = Array.from({ length: 1_000 }, (_, roomId) =>
        textFrame({ action: 'GET_ROOM_STATUS', roomId }),
      );
      const last = textFrame({ action: 'PING' });
      raw.write(Buffer.concat([Buffer.from(upgradeRequest()), ...frames, last.subarray(0, 5)]));
      assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
      for (let roomId = 0; roomId < frames.length; roomId += 1) {
        assert.equal(JSON.parse(await raw.nextText()).roomId, roomId);
      }
      raw.write(last.subarray(5));
      assert.match(await raw.nextText(), PONG);
    });

    it('may come in pieces', async t => {
      const server = await startServer(t, { form });
      const raw = await openRaw(server);
      const request = Buffer.from(upgradeRequest());
      for (const [from, to] of [[0, 1], [1, 20], [20, request.length - 2], [request.length - 2]]) {
        raw.write(request.subarray(from, to));
        await new Promise(resolve => setImmediate(resolve));
      }
      assert.equal((await raw.response()).status, 101);
      assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
    });

    it('that is refused does not disturb those who are connected', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server);
      await client.join(1);
      const raws = [];
      for (const bytes of [
        'NONSENSE\r\n\r\n',
        '\r\n\r\n\r\n',
        '\x16\x03\x01\x02\x00\x01\x00',
        upgradeRequest({ version: 'HTTP/9.9' }),
        upgradeRequest({ method: 'G E T' }),
        `GET /ws/rooms HTTP/1.1\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
        upgradeRequest({ headers: { 'Sec-WebSocket-Key': 'x' } }),
      ]) {
        const raw = await openRaw(server);
        raw.write(bytes);
        raws.push(raw);
      }
      server.hub.broadcastParticipantCount(1, 1, 2);
      assert.equal((await client.nextMessage()).type, 'ROOM_UPDATE');
      for (const raw of raws.slice(3)) await raw.closed;
      await connect(server);
    });
  });
}

describe('a plain request, standalone', () => {
  it('is 404 for another path and 426 for ours', async t => {
    const server = await startServer(t, { form: 'standalone' });
    const plain = target => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
    assert.equal((await answerTo(server, plain('/'))).status, 404);
    const { status, headers } = await answerTo(server, plain('/ws/rooms?userId=1'));
    assert.equal(status, 426);
    assert.equal(headers.upgrade.toLowerCase(), 'websocket');
  });
});

describe('a malformed handshake, standalone', () => {
  const request = (method, version) => upgradeRequest({ method, version });
  const cases = {
    'is no HTTP': 'NONSENSE\r\n\r\n',
    'is HTTP/1.0': request('GET', 'HTTP/1.0'),
    'has no Host': upgradeRequest({ headers: { Host: null } }),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    it(`is 400 where it ${name}`, async t => {
      const server = await startServer(t, { form: 'standalone' });
      assert.equal((await answerTo(server, bytes)).status, 400);
      await connect(server);
    });
  }
});
