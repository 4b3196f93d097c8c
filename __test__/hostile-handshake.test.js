'use strict';

// Every part of the opening handshake that RFC 6455 §4.2.1 asks for, missing, doubled and malformed;
// and what of it may be written in another way. Attached, Node reads the request and we check it;
// standalone, both is ours.

const assert = require('node:assert/strict');
const { randomBytes } = require('node:crypto');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const {
  OPCODE,
  SAMPLE_ACCEPT,
  SAMPLE_KEY,
  frame,
  openRaw,
  upgradeRequest,
} = require('./support/raw');
const { FORMS } = require('./support/server');
const { CLEAN, watchEnd } = require('./support/violations');

const KEY = 'Sec-WebSocket-Key';
const VERSION = 'Sec-WebSocket-Version';

/** Headers whose names differ in case are lines of their own here, and the same header to a server. */
const twice = (name, first, second = first) => ({ [name]: first, [name.toUpperCase()]: second });

const keyOf = bytes => randomBytes(bytes).toString('base64');

const MALFORMED = {
  'no Host': { Host: null },
  'two Hosts': twice('Host', 'one.example', 'two.example'),
  'the same Host twice': twice('Host', '127.0.0.1'),
  'a list of Hosts': { Host: 'one.example, two.example' },
  'no key': { [KEY]: null },
  'an empty key': { [KEY]: '' },
  'a key of blanks': { [KEY]: ' \t ' },
  'padding for a key': { [KEY]: '==' },
  'a key of 1 byte': { [KEY]: keyOf(1) },
  'a key of 13 bytes': { [KEY]: keyOf(13) },
  'a key of 15 bytes': { [KEY]: keyOf(15) },
  'a key of 17 bytes': { [KEY]: keyOf(17) },
  'a key of 19 bytes': { [KEY]: keyOf(19) },
  'a key of 1000 bytes': { [KEY]: keyOf(1000) },
  'a key without padding': { [KEY]: SAMPLE_KEY.slice(0, -2) },
  'a key with too little padding': { [KEY]: SAMPLE_KEY.slice(0, -1) },
  'a key with too much padding': { [KEY]: `${SAMPLE_KEY}=` },
  'a key with padding within': { [KEY]: `dGhl${'='}HNhbXBsZSBub25jZQ==` },
  'a key with a blank within': { [KEY]: 'dGhlIHNhbXBs SBub25jZQ==' },
  "a key in base64's other alphabet": { [KEY]: '-_hlIHNhbXBsZSBub25jZQ==' },
  'a key with a letter that is none': { [KEY]: 'dGhlIHNhbXBsZSBub25jZ\u00e9==' },
  'two keys': twice(KEY, SAMPLE_KEY, keyOf(16)),
  'the same key twice': twice(KEY, SAMPLE_KEY),
  'a list of keys': { [KEY]: `${SAMPLE_KEY}, ${SAMPLE_KEY}` },
  'a key and an empty one': twice(KEY, SAMPLE_KEY, ''),
};

const WRONG_VERSIONS = {
  'no version': { [VERSION]: null },
  ...Object.fromEntries(
    [
      '',
      '0',
      '7',
      '8',
      '12',
      '14',
      '130',
      '1',
      '013',
      '13.0',
      '+13',
      '0x0d',
      'x',
      '13, 8',
      '8, 13',
    ].map(version => [`version '${version}'`, { [VERSION]: version }]),
  ),
  'version 13 twice': twice(VERSION, '13'),
  'versions 8 and 13': twice(VERSION, '8', '13'),
};

const WELL_FORMED = {
  'an Upgrade in another case': { Upgrade: 'WEBSOCKET' },
  'an Upgrade among others': { Upgrade: 'h2c, websocket' },
  'an Upgrade in front of others': { Upgrade: 'WebSocket , foo/2' },
  'an Upgrade in a line of its own': twice('Upgrade', 'h2c', 'websocket'),
  'a Connection in another case': { Connection: 'UPGRADE' },
  'a Connection among others': { Connection: 'keep-alive, Upgrade' },
  'a Connection in front of others': { Connection: 'upgrade,keep-alive' },
  'a Connection in a line of its own': twice('Connection', 'keep-alive', 'Upgrade'),
  'an empty Host': { Host: '' },
  'blanks around the key': { [KEY]: `  \t${SAMPLE_KEY}\t ` },
  'blanks around the version': { [VERSION]: ' 13 ' },
};

/**
 * Requests that ask for no WebSocket. They are ordinary ones to the bot's server; standalone, there is
 * no other server.
 */
const PLAIN = {
  'no Upgrade': [{ Upgrade: null }, 426],
  'an empty Upgrade': [{ Upgrade: '' }, 426],
  'an Upgrade to something else': [{ Upgrade: 'h2c' }, 426],
  'an Upgrade that begins alike': [{ Upgrade: 'websockets' }, 426],
  'an Upgrade that ends alike': [{ Upgrade: 'xwebsocket' }, 426],
  'an Upgrade with a blank within': [{ Upgrade: 'web socket' }, 426],
  'no Connection': [{ Connection: null }, 400],
  'a Connection that does not name it': [{ Connection: 'keep-alive' }, 400],
  'a Connection that begins alike': [{ Connection: 'upgraded' }, 400],
};

/** The response to a handshake whose connection is to end by itself, cleanly. */
async function refusalOf(server, bytes) {
  const raw = watchEnd(await openRaw(server));
  raw.write(bytes);
  const response = await raw.response();
  assert.equal(await raw.ending, CLEAN);
  const length = Number(response.headers['content-length']);
  assert.equal(raw.body.length, length, 'the whole body');
  return response;
}

for (const form of FORMS) {
  describe(`a malformed handshake, ${form}`, () => {
    it('is refused with 400', async t => {
      const server = await startHostile(t, { form });
      for (const [name, headers] of Object.entries(MALFORMED)) {
        assert.equal((await refusalOf(server, upgradeRequest({ headers }))).status, 400, name);
      }
    });

    it('is refused with 426 and the right version where the version is wrong', async t => {
      const server = await startHostile(t, { form });
      for (const [name, headers] of Object.entries(WRONG_VERSIONS)) {
        const { status, headers: answer } = await refusalOf(server, upgradeRequest({ headers }));
        assert.equal(status, 426, name);
        assert.equal(answer['sec-websocket-version'], '13', name);
        assert.equal(answer.upgrade, 'websocket', name);
      }
    });

    it('is refused with 405 for a method that is not GET', async t => {
      const server = await startHostile(t, { form });
      for (const method of ['POST', 'PATCH', 'TRACE', 'PROPFIND', 'PURGE']) {
        const { status, headers } = await refusalOf(server, upgradeRequest({ method }));
        assert.equal(status, 405, method);
        assert.equal(headers.allow, 'GET', method);
      }
    });

    it('is refused with 400 where it is not HTTP/1.1', async t => {
      const server = await startHostile(t, { form });
      for (const version of ['HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTP/1.1', '']) {
        const raw = watchEnd(await openRaw(server));
        raw.write(upgradeRequest({ version }));
        assert.equal((await raw.response()).status, 400, version);
        await raw.ending;
      }
    });

    it('has its whole answer, whatever the client goes on to send', async t => {
      const server = await startHostile(t, { form });
      const behind = Buffer.alloc(16 * 1024 * 1024, frame(OPCODE.text, '{"action":"PING"}'));
      for (const headers of [{ [KEY]: '' }, { [VERSION]: '8' }, { Host: null }]) {
        const request = Buffer.from(upgradeRequest({ headers }));
        await refusalOf(server, Buffer.concat([request, behind]));
      }
    });

    it('is read on from for a moment behind its answer, which a reset could overtake', async t => {
      const server = await startHostile(t, { form });
      const raw = watchEnd(await openRaw(server, { allowHalfOpen: true }));
      raw.write(upgradeRequest({ headers: { [KEY]: '' } }));
      assert.equal((await raw.response()).status, 400);
      assert.equal(await raw.ending, CLEAN);
      const errors = [];
      for (let more = 0; more < 4; more += 1) {
        await new Promise(resolve => {
          raw.socket.write(Buffer.alloc(10_000), error => resolve(error && errors.push(error)));
        });
        await new Promise(resolve => setImmediate(resolve));
      }
      assert.deepEqual(errors, []);
      raw.socket.end();
      await raw.closed;
    });

    it('asks nothing of the bot', async t => {
      let asked = 0;
      const authenticate = () => {
        asked += 1;
        return 'fresh';
      };
      const server = await startHostile(t, { form, authenticate });
      for (const headers of [MALFORMED['no key'], WRONG_VERSIONS['no version']]) {
        await refusalOf(server, upgradeRequest({ headers }));
      }
      assert.equal(asked, 0);
      assert.equal(server.hub.getStats().openConnections, 0);
    });
  });

  describe(`a request that asks for no WebSocket, ${form}`, () => {
    it('gets none', async t => {
      const server = await startHostile(t, { form });
      for (const [name, [headers, status]] of Object.entries(PLAIN)) {
        const raw = await openRaw(server);
        raw.write(upgradeRequest({ headers }));
        assert.equal((await raw.response()).status, form === 'standalone' ? status : 200, name);
        raw.terminate();
      }
    });
  });

  describe(`a well-formed handshake, ${form}`, () => {
    it('is answered with 101 however it is written', async t => {
      const server = await startHostile(t, { form });
      for (const [name, headers] of Object.entries(WELL_FORMED)) {
        const raw = await openRaw(server);
        raw.write(upgradeRequest({ headers }));
        const { status, headers: answer } = await raw.response();
        assert.equal(status, 101, name);
        assert.equal(answer['sec-websocket-accept'], SAMPLE_ACCEPT, name);
        assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
        raw.terminate();
      }
    });

    it('has no body: what comes behind it is frames', async t => {
      const server = await startHostile(t, { form });
      const raw = await openRaw(server);
      const message = frame(OPCODE.text, '{"action":"PING"}');
      const headers = { 'Content-Length': String(message.length) };
      raw.write(Buffer.concat([Buffer.from(upgradeRequest({ headers })), message]));
      assert.equal((await raw.response()).status, 101);
      assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
      assert.match(await raw.nextText(), /"PONG"/);
    });
  });
}
