'use strict';

// Setting up with options that are unknown, wrong or in conflict throws at once, says what would be
// right, and leaves the server alone. So does a port that is taken.

const assert = require('node:assert/strict');
const net = require('node:net');
const { describe, it } = require('node:test');
const { broadcastRoomUpdate, roomWebSocketService, setupRoomWebSocketServer } = require('..');
const { connect } = require('./support/client');
const { createServer, listen, startServer } = require('./support/server');

describe('bad options', () => {
  /** Setting up throws at once, says why, and leaves the server alone. */
  function assertOption(options, pattern) {
    const server = createServer('http');
    const keys = Reflect.ownKeys(server);
    assert.throws(
      () => setupRoomWebSocketServer(server, options),
      error => error instanceof Error && pattern.test(error.message),
      `${JSON.stringify(options)}: ${pattern}`,
    );
    assert.equal(server.listenerCount('upgrade'), 0);
    assert.deepEqual(Reflect.ownKeys(server), keys);
  }

  it('that are unknown are named', () => {
    assertOption({ pingIntervall: 1 }, /pingIntervall/);
    assertOption({ foo: undefined }, /foo/);
    assertOption({ constructor: 1 }, /constructor/);
  });

  it('of the ws library are named as such, with what replaces them', () => {
    for (const name of [
      'verifyClient',
      'perMessageDeflate',
      'handleProtocols',
      'clientTracking',
      'WebSocket',
    ]) {
      assertOption({ [name]: true }, new RegExp(`${name}.*ws`));
    }
  });

  it('of the wrong type are named', () => {
    const wrong = {
      path: [1, '', 'ws/rooms', '/ws rooms', '/ws?x=1', null],
      authenticate: [1, {}, 'f', null],
      authorizeJoin: [1, {}, 'f'],
      authTimeout: ['1', -1, Number.NaN, 0.5, 2 ** 31],
      allowedOrigins: [1, 'http://a.example', {}, [1], ['a.example'], ['http://a.example/']],
      trustProxy: [true, -1, 1.5, 'loopback', ['nowhere']],
      maxPayload: ['64k', -1, 0],
      maxConnections: ['1', -1],
      maxRoomsPerConnection: ['1', -1],
      messageRate: ['1', -1, 0],
      messageBurst: ['1', -1],
      pingInterval: ['1', -1],
      pongTimeout: ['1', -1],
      handshakeTimeout: ['1', -1],
      closeTimeout: ['1', -1],
      maxBufferedBytes: ['1', -1],
      slowTimeout: ['1', -1],
      history: ['1', -1, 0.5],
      roomTtl: ['1', -1],
      threads: ['1', -1, 0, 1.5],
      cluster: [1, 'redis://127.0.0.1', null, [], {}, { url: 1 }, { url: 'localhost' }],
      logger: [1, 'console', true, {}],
      noServer: [1, 'yes'],
      signal: [1, {}, 'abort'],
    };
    for (const [name, values] of Object.entries(wrong)) {
      for (const value of values) assertOption({ [name]: value }, new RegExp(name));
    }
  });

  it('in conflict with each other are named', () => {
    assertOption({ port: 0 }, /port/);
    assertOption({ noServer: true }, /noServer/);
    assert.throws(() => setupRoomWebSocketServer({ noServer: true, port: 0 }), /noServer|port/);
  });

  it('and servers that are none are refused', () => {
    for (const value of [undefined, null, 1, 'http', [], () => {}, {}]) {
      assert.throws(() => setupRoomWebSocketServer(value), TypeError);
    }
    assert.throws(() => setupRoomWebSocketServer({ port: -1 }), /port/);
    assert.throws(() => setupRoomWebSocketServer({ port: 65_536 }), /port/);
    assert.throws(() => setupRoomWebSocketServer({ port: '0' }), /port/);
    assert.throws(() => setupRoomWebSocketServer({ port: 0, host: 1 }), /host/);
    for (const options of [null, 1, 'x', []]) {
      assert.throws(() => setupRoomWebSocketServer(createServer('http'), options), TypeError);
    }
  });

  it('that are undefined are as if left out', async t => {
    const server = await startServer(t, {
      path: undefined,
      pingInterval: undefined,
      authenticate: undefined,
    });
    await (await connect({ ...server, url: `ws://127.0.0.1:${server.port}/ws/rooms` })).join(1);
  });
});

describe('a port that is taken', () => {
  it('is no quiet second listener', async t => {
    const taken = net.createServer();
    const port = await listen(taken);
    t.after(() => taken.close());
    assert.throws(
      () => setupRoomWebSocketServer({ host: '127.0.0.1', port, logger: false }),
      /EADDRINUSE/,
    );
    const first = await startServer(t, { form: 'standalone' });
    assert.throws(
      () => setupRoomWebSocketServer({ host: '127.0.0.1', port: first.port, logger: false }),
      /EADDRINUSE/,
    );
    await (await connect(first)).join(1);
    assert.equal(broadcastRoomUpdate(1, 'A', 1, 2, 'join'), true);
    assert.equal(
      roomWebSocketService.getStats().perThread.length,
      first.hub.getStats().perThread.length,
    );
  });
});
