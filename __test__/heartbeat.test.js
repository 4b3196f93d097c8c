'use strict';

// The heartbeat: a silent peer is pinged, a dead one is ended, and any byte is a sign of life. The
// peers are raw sockets, which answer nothing by themselves.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { OPCODE, frame, openSession, textFrame } = require('./support/raw');
const { FORMS, startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

for (const form of FORMS) {
  describe(`heartbeat, ${form}`, () => {
    it('pings a silent peer again and again, as long as it answers', async t => {
      const server = await startServer(t, { form, pingInterval: 50, pongTimeout: 10_000 });
      const raw = await openSession(server);
      for (let beat = 0; beat < 5; beat += 1) {
        const ping = await raw.nextFrame();
        assert.equal(ping.opcode, OPCODE.ping);
        assert.equal(ping.fin, true);
        assert.equal(ping.masked, false);
        raw.write(frame(OPCODE.pong, ping.payload));
      }
      raw.write(textFrame({ action: 'PING' }));
      await until(
        () =>
          raw.frames.some(
            ({ opcode, payload }) => opcode === OPCODE.text && payload.includes('PONG'),
          ),
        'PONG',
      );
    });

    it('ends a dead peer without a Close frame', async t => {
      const server = await startServer(t, { form, pingInterval: 50, pongTimeout: 100 });
      const disconnected = nextEvent(server.hub, 'disconnect');
      const raw = await openSession(server);
      await raw.closed;
      const opcodes = raw.frames.slice(1).map(({ opcode }) => opcode);
      assert.ok(opcodes.length > 0, 'it was pinged');
      assert.ok(
        opcodes.every(opcode => opcode === OPCODE.ping),
        `opcodes: ${opcodes}`,
      );
      const [client] = await disconnected;
      assert.equal(client.userId, 'raw');
      await until(() => server.hub.getStats().openConnections === 0, 'nobody to be there');
    });

    it('takes any byte for a sign of life', async t => {
      const server = await startServer(t, { form, pingInterval: 50, pongTimeout: 200 });
      const dribbler = await openSession(server, { target: '/ws/rooms?userId=dribbler' });
      // One message, byte by byte and without a single pong, for twice as long as a silent peer
      // lives.
      const message = frame(OPCODE.text, `${' '.repeat(20_000)}{"action":"PING"}`);
      let sent = 0;
      const dribble = setInterval(() => {
        if (sent < message.length - 1) dribbler.write(message.subarray(sent, ++sent));
      }, 10);
      t.after(() => clearInterval(dribble));
      for (let life = 0; life < 2; life += 1) {
        const silent = await openSession(server, { target: '/ws/rooms?userId=silent' });
        await silent.closed;
      }
      clearInterval(dribble);
      dribbler.write(message.subarray(sent));
      await until(() => dribbler.frames.some(({ payload }) => payload.includes('"PONG"')), 'PONG');
    });

    it('does not end a client that answers as every browser does', async t => {
      const server = await startServer(t, { form, pingInterval: 30, pongTimeout: 5_000 });
      const client = await connect(server);
      await until(() => client.pings >= 5, 'five pings');
      assert.deepEqual(await client.settle(), []);
    });

    it('is for those who never finish the handshake of a close, too', async t => {
      const server = await startServer(t, { form, closeTimeout: 100 });
      const raw = await openSession(server);
      const disconnected = nextEvent(server.hub, 'disconnect');
      server.hub.disconnectUser('raw');
      assert.deepEqual(await raw.nextClose(), { code: 1008, reason: 'Disconnected' });
      await raw.closed;
      const [, code, reason] = await disconnected;
      assert.deepEqual([code, reason], [1008, 'Disconnected']);
    });
  });
}

describe('handshakeTimeout, standalone', () => {
  it('ends a peer that never sends its request', async t => {
    const { openRaw } = require('./support/raw');
    const server = await startServer(t, { form: 'standalone', handshakeTimeout: 100 });
    const [nothing, half] = [await openRaw(server), await openRaw(server)];
    half.write('GET /ws/rooms HTTP/1.1\r\nHost: x\r\n');
    await nothing.closed;
    await half.closed;
    await connect(server);
  });
});
