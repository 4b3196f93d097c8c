'use strict';

// What setupRoomWebSocketServer may be called with. Nothing is opened here.

const assert = require('node:assert/strict');
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');
const { describe, it } = require('node:test');
const express = require('express');
const { sessionAuthenticator } = require('../lib/authenticate.js');
const { createLog } = require('../lib/log.js');
const { nativeOptions, setupArguments } = require('../lib/options.js');

const server = http.createServer();

function throwsFor(call, pattern) {
  assert.throws(call, error => error instanceof TypeError && pattern.test(error.message));
}

/** An option beside a server. */
function accepts(name, value) {
  assert.deepEqual(setupArguments(server, { [name]: value }).options, { [name]: value });
}

function refuses(name, value, right) {
  throwsFor(
    () => setupArguments(server, { [name]: value }),
    new RegExp(`^options\\.${name}(\\[\\d\\]|\\.\\w+)? must be .*${right}.*, got `),
  );
}

describe('the first argument', () => {
  it('is a server', () => {
    for (const each of [server, https.createServer()]) {
      assert.deepEqual(setupArguments(each), { server: each, options: {} });
      assert.equal(setupArguments(each, undefined).server, each);
    }
  });

  it('or options with a port or noServer', () => {
    for (const options of [
      { port: 0 },
      { port: 80, host: '::1', backlog: 1 },
      { noServer: true },
    ]) {
      assert.deepEqual(setupArguments(options), { server: undefined, options });
    }
    throwsFor(() => setupArguments({}), /^nowhere to listen: /);
    throwsFor(() => setupArguments({ noServer: false }), /^nowhere to listen: /);
  });

  it('is no app', () => {
    for (const app of [express(), { listen() {}, use() {} }]) {
      throwsFor(() => setupArguments(app), /looks like an app: pass http\.createServer\(app\)$/);
    }
  });

  it('is nothing else', () => {
    for (const value of [undefined, null, 3000, '/ws', () => {}]) {
      throwsFor(() => setupArguments(value), /^the first argument must be an http or https server/);
    }
    throwsFor(() => setupArguments(net.createServer()), /an http or https server/);
  });

  it('is the only one where it is options', () => {
    throwsFor(() => setupArguments({ port: 0 }, {}), /^options must be the only argument/);
  });
});

describe('conflicts', () => {
  it('are refused', () => {
    for (const option of [{ port: 0 }, { host: 'localhost' }, { backlog: 1 }]) {
      throwsFor(() => setupArguments(server, option), /has no meaning where a server is passed/);
      throwsFor(
        () => setupArguments({ noServer: true, ...option }),
        /has no meaning where options\.noServer is set/,
      );
    }
    throwsFor(() => setupArguments(server, { noServer: true }), /in conflict with a server/);
    throwsFor(() => setupArguments({ host: 'localhost' }), /^nowhere to listen/);
  });
});

describe('options', () => {
  it('may be undefined', () => {
    setupArguments(server, { path: undefined, threads: undefined, port: undefined });
    for (const options of [null, 3000, [], 'path']) {
      throwsFor(() => setupArguments(server, options), /^options must be an object, got /);
    }
  });

  it('that are unknown are named, with what was meant', () => {
    const unknown = (name, pattern) =>
      throwsFor(() => setupArguments(server, { [name]: 1 }), pattern);
    unknown(
      'maxConnectionsPerIP',
      /^options\.maxConnectionsPerIP is unknown: did you mean maxConnectionsPerIp\?$/,
    );
    unknown('pingTimeout', /did you mean pongTimeout\?$/);
    unknown('pingIntervall', /did you mean pingInterval\?$/);
    unknown('colour', /^options\.colour is unknown$/);
    unknown('toString', /^options\.toString is unknown/);
  });

  it('of the ws library are named as such, with what replaces them', () => {
    const foreign = (name, pattern) =>
      throwsFor(
        () => setupArguments(server, { [name]: undefined }),
        new RegExp(
          `^options\\.${name} is an option of the ws library and has no meaning here: .*${pattern}`,
        ),
      );
    foreign('server', 'pass the server first');
    foreign('verifyClient', 'authenticate');
    foreign('handleProtocols', 'subprotocol');
    foreign('perMessageDeflate', 'extension');
    foreign('clientTracking', 'getStats');
    foreign('WebSocket', 'clients');
    foreign('skipUTF8Validation', 'checked');
    foreign('autoPong', 'answered');
    foreign('allowSynchronousEvents', 'order');
    foreign('maxBufferedChunks', 'maxBufferedBytes');
    foreign('maxFragments', 'messageRate');
    foreign('maxPendingAutoPongs', 'messageRate');
  });

  it('that are numbers have a range', () => {
    const max = 2 ** 31 - 1;
    const ranges = {
      authTimeout: [1, max],
      maxPayload: [1, max],
      maxConnections: [1, max],
      maxConnectionsPerIp: [1, max],
      maxRoomsPerConnection: [1, max],
      messageBurst: [1, max],
      pingInterval: [1, max],
      pongTimeout: [1, max],
      handshakeTimeout: [1, max],
      closeTimeout: [1, max],
      maxBufferedBytes: [1, max],
      slowTimeout: [1, max],
      history: [0, max],
      roomTtl: [1, max],
      threads: [1, 64],
    };
    for (const [name, [least, most]] of Object.entries(ranges)) {
      accepts(name, least);
      accepts(name, most);
      for (const value of [least - 1, most + 1, least + 0.5, Number.NaN, '5', null, true, 5n]) {
        refuses(name, value, `an integer from ${least} to ${most}`);
      }
    }
  });

  it('messageRate may have a fraction', () => {
    accepts('messageRate', 0.5);
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '20']) {
      refuses('messageRate', value, 'a number above 0');
    }
  });

  it('path starts with a slash and has no query', () => {
    for (const path of ['/', '/ws/rooms', '/räume']) accepts('path', path);
    for (const path of ['', 'ws', '/ws?x', '/ws#x', '/w s', 1, null]) {
      refuses('path', path, "starts with '/'");
    }
  });

  it('hooks are functions', () => {
    for (const name of ['authenticate', 'authorizeJoin']) {
      accepts(name, async () => true);
      for (const value of [null, true, {}, 'ann']) refuses(name, value, 'a function');
    }
  });

  it('allowedOrigins is a list of exact origins, or a function', () => {
    const exact = ['https://example.com', 'http://localhost:3000', 'http://[::1]', 'null'];
    accepts('allowedOrigins', [...exact, 'chrome-extension://abc', 'https://xn--rume-moa.de']);
    accepts('allowedOrigins', []);
    accepts('allowedOrigins', () => true);
    for (const value of ['https://example.com', true, null, /x/]) {
      refuses('allowedOrigins', value, 'a list of origins');
    }
    for (const origin of [
      'example.com',
      'https://example.com/',
      'https://example.com/x',
      1,
      null,
    ]) {
      refuses('allowedOrigins', [origin], "an origin such as 'https://example.com'");
    }
    refuses('allowedOrigins', ['https://example.com:443'], "'https://example.com'");
    refuses('allowedOrigins', ['https://Example.com'], "'https://example.com'");
    throwsFor(() => setupArguments(server, { allowedOrigins: ['*'] }), /leave allowedOrigins out/);
  });

  it('trustProxy is a number of proxies, or their addresses', () => {
    accepts('trustProxy', 0);
    accepts('trustProxy', 2);
    accepts('trustProxy', ['127.0.0.1', '::1', '10.0.0.0/8', 'fd00::/8']);
    for (const value of [-1, 0.5, true, 'loopback', '1', null])
      refuses('trustProxy', value, 'proxies');
    for (const proxy of ['localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '', 1]) {
      refuses('trustProxy', [proxy], 'an IP address');
    }
  });

  it('noServer is true or false, signal an AbortSignal', () => {
    accepts('noServer', false);
    refuses('noServer', 1, 'true or false');
    accepts('signal', new AbortController().signal);
    for (const signal of [new AbortController(), {}, null])
      refuses('signal', signal, 'an AbortSignal');
  });

  it('port and host are what a server listens on', () => {
    const refusesAlone = (options, pattern) =>
      throwsFor(() => setupArguments({ port: 0, ...options }), pattern);
    for (const port of [-1, 65_536, 0.5, null]) {
      refusesAlone({ port }, /^options\.port must be an integer from 0 to 65535, got /);
    }
    refusesAlone({ port: '3000' }, /got a string \('3000'\): pass Number\(port\)$/);
    refusesAlone({ host: '' }, /^options\.host must be /);
    refusesAlone({ host: 1 }, /^options\.host must be /);
    refusesAlone({ backlog: 0 }, /^options\.backlog must be /);
  });
});

describe('what the hub is given', () => {
  it('is undefined where the bot said nothing, so that the defaults are its own', () => {
    const { originFunction, sameOrigin, authenticate, authorizeJoin, ...rest } = nativeOptions({});
    assert.deepEqual([originFunction, sameOrigin], [false, false]);
    assert.deepEqual([authenticate, authorizeJoin], [false, false]);
    assert.deepEqual(new Set(Object.values(rest)), new Set([undefined]));
  });

  it('has lists and numbers, and for functions that there is one', () => {
    const native = nativeOptions({
      cluster: { url: 'redis://127.0.0.1', prefix: 'bot' },
      history: 0,
      trustProxy: ['::1'],
      authenticate() {},
      authorizeJoin() {},
      allowedOrigins: ['https://example.com'],
    });
    assert.equal(native.history, 0);
    assert.deepEqual([native.clusterUrl, native.clusterPrefix], ['redis://127.0.0.1', 'bot']);
    assert.equal('cluster' in native, false);
    assert.deepEqual(native.trustProxy, ['::1']);
    assert.deepEqual(native.allowedOrigins, ['https://example.com']);
    assert.deepEqual([native.authenticate, native.authorizeJoin], [true, true]);
    const { allowedOrigins, originFunction } = nativeOptions({ allowedOrigins: () => true });
    assert.deepEqual([allowedOrigins, originFunction], [undefined, true]);
  });

  it("asks for the page's own host where sessions are used, unless told otherwise", () => {
    const authenticate = sessionAuthenticator({ cookieName: 'a', secret: 'b', loadSession() {} });
    assert.equal(nativeOptions({ authenticate }).sameOrigin, true);
    assert.equal(nativeOptions({ authenticate, allowedOrigins: [] }).sameOrigin, false);
    assert.equal(nativeOptions({ authenticate: () => 1 }).sameOrigin, false);
  });
});

describe('logger', () => {
  it('has four functions, or is false', () => {
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    for (const right of [undefined, false, console, logger]) createLog(right);
    for (const wrong of [true, null, 'console', () => {}]) {
      throwsFor(
        () => createLog(wrong),
        /^options\.logger must be an object with the functions debug/,
      );
    }
    throwsFor(() => createLog({ ...logger, info: 1 }), /^options\.logger\.info must be a function/);
  });

  it('is called with message and fields', () => {
    const lines = [];
    const take = level =>
      function (...args) {
        lines.push([level, this === logger, ...args]);
      };
    const logger = { debug: take('debug'), info() {}, warn: take('warn'), error() {} };
    const log = createLog(logger);
    log('debug', 'one');
    log('warn', 'two', { three: 3 });
    assert.deepEqual(lines, [
      ['debug', true, 'one', undefined],
      ['warn', true, 'two', { three: 3 }],
    ]);
  });

  it('hurts nobody by throwing or rejecting', async () => {
    const fail = () => {
      throw new Error('disk full');
    };
    const log = createLog({ debug: fail, info: fail, warn: fail, error: async () => fail() });
    log('warn', 'a line');
    log('error', 'a line');
    // A rejection that nobody has taken would end this process in the next turn of the loop.
    await new Promise(setImmediate);
  });

  it('is the console for warnings and errors unless told otherwise', t => {
    const log = createLog(undefined);
    const written = {};
    for (const level of ['debug', 'info', 'warn', 'error']) {
      written[level] = t.mock.method(console, level, () => {}).mock;
      log(level, 'a line');
    }
    const counts = Object.values(written).map(mock => mock.callCount());
    assert.deepEqual(counts, [0, 0, 1, 1]);
  });
});
