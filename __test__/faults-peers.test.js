'use strict';

// Peers that vanish: by a reset at any moment of a connection, or without any sign because their
// process stands still. It costs them their connection and nobody else anything.

const assert = require('node:assert/strict');
const net = require('node:net');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { aborted, questions } = require('./support/hooks');
const { runProgram } = require('./support/program');
const { OPCODE, frame, openRaw, openSession, textFrame, upgradeRequest } = require('./support/raw');
const { FORMS } = require('./support/server');
const { FILL } = require('./support/slow-member');
const { nextEvent, until } = require('./support/wait');

const PING = textFrame({ action: 'PING' });
const LONG = textFrame({ action: 'PING', pad: 'x'.repeat(1_000) });
const FIRST_FRAGMENT = frame(OPCODE.text, '{"action":', { fin: false });

/** What of a message has come when its sender vanishes. */
const PARTS = {
  'in the head of a frame': LONG.subarray(0, 3),
  'in the payload of a frame': LONG.subarray(0, 500),
  'between the fragments of a message': FIRST_FRAGMENT,
  'between two messages': Buffer.alloc(0),
};

/**
 * Opens a connection that can be reset: `tcp` is its TCP socket, wherever its stream is.
 */
async function openBrittle(server, open = openSession, request = {}) {
  if (!server.secure) {
    const raw = await open(server, request);
    return { raw, tcp: raw.socket };
  }
  const tcp = net.connect(server.port, '127.0.0.1');
  const raw = await open(server, request, { socket: tcp });
  return { raw, tcp };
}

const openSilent = (server, _, options) => openRaw(server, options);

/**
 * Ends a TCP connection by an RST alone (SO_LINGER of 0, socket(7)): `resetAndDestroy` would end the
 * writing side before, and the hub would see that first.
 */
function reset(socket) {
  socket.resetAndClosing = true;
  socket.destroy();
}

/** A client in the room that sees every update, by their numbers. */
async function startWitness(server) {
  const witness = await connect(server, { userId: 'witness' });
  let { seq } = await witness.join(1);
  return {
    /** Broadcasts, and has the witness read the next update. */
    async update(update = { event: 'NEWS' }) {
      assert.equal(server.hub.broadcastRoomUpdate(1, update), true);
      seq += 1;
      assert.equal((await witness.nextMessage()).seq, seq);
      return seq;
    },
  };
}

const alone = ({ hub }) =>
  until(
    () => hub.getStats().openConnections === 1,
    () => `the end of all but one: ${hub.getStats().openConnections} are open`,
  );

for (const form of FORMS) {
  describe(`a peer that resets its connection, ${form}`, () => {
    for (const [moment, part] of Object.entries(PARTS)) {
      it(`${moment}, is gone`, async t => {
        const server = await startHostile(t, { form });
        const { update } = await startWitness(server);
        const { raw, tcp } = await openBrittle(server);
        raw.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
        await raw.nextText();
        raw.write(Buffer.concat([PING, part]));
        await raw.nextText();
        const heard = nextEvent(server.hub, 'disconnect');
        reset(tcp);
        const [client, code] = await heard;
        assert.deepEqual([client.userId, code], ['raw', 1006]);
        assert.equal(server.hub.getClientCount(1), 1);
        await update();
      });
    }

    it('with more on its way to it than it has read, is gone', async t => {
      const server = await startHostile(t, { form, pingInterval: 600_000, slowTimeout: 600_000 });
      const { update } = await startWitness(server);
      const { raw, tcp } = await openBrittle(server);
      raw.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
      await raw.nextText();
      raw.socket.pause();
      await until(async () => {
        await update(FILL);
        return server.hub.getStats().slowClients > 0;
      }, 'a backlog');
      const heard = nextEvent(server.hub, 'disconnect');
      reset(tcp);
      assert.equal((await heard)[1], 1006);
      await until(() => server.hub.getStats().bufferedBytes === 0, 'the end of the backlog');
      await update();
    });

    it("behind the hub's Close, is gone", async t => {
      const server = await startHostile(t, { form });
      const { update } = await startWitness(server);
      const { raw, tcp } = await openBrittle(server);
      const heard = nextEvent(server.hub, 'disconnect');
      server.hub.disconnectUser('raw', 4001);
      await raw.nextClose();
      reset(tcp);
      assert.equal((await heard)[1], 4001);
      await alone(server);
      await update();
    });

    it('while authenticate is asked, is gone, and the hook hears of it', async t => {
      const { hook, call } = questions();
      const authenticate = (request, options) =>
        request.url.endsWith('raw') ? hook(request, options) : 'u';
      const server = await startHostile(t, { form, authenticate });
      const { update } = await startWitness(server);
      const { raw, tcp } = await openBrittle(server, openSilent);
      raw.write(upgradeRequest());
      const { signal, resolve } = await call(0);
      await raw.response();
      reset(tcp);
      await aborted(signal);
      resolve('raw');
      await alone(server);
      await update();
    });

    it('before its request is complete, leaves nothing, however many do', async t => {
      const server = await startHostile(t, { form });
      const { update } = await startWitness(server);
      const request = upgradeRequest();
      for (let length = 1; length < request.length; length += 7) {
        const { raw, tcp } = await openBrittle(server, openSilent);
        await new Promise(resolve => raw.socket.write(request.slice(0, length), resolve));
        reset(tcp);
      }
      await update();
      assert.equal(server.hub.getStats().openConnections, 1);
    });

    it('beside others, in the middle of a fan-out, takes no update from them', async t => {
      const server = await startHostile(t, { form });
      const { update } = await startWitness(server);
      const pairs = [];
      for (let count = 0; count < 60; count += 1) {
        const pair = await openBrittle(server);
        pair.raw.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
        await pair.raw.nextText();
        pairs.push(pair);
      }
      const staying = pairs.filter((_, index) => index % 2 === 0);
      const leaving = pairs.filter((_, index) => index % 2 === 1);
      for (const { tcp } of leaving) {
        await update();
        // Into the very updates that are on their way.
        server.hub.broadcastRoomUpdate(2, { event: 'NEWS' });
        reset(tcp);
      }
      const last = await update();
      for (const { raw } of staying) {
        const seqs = [];
        while (seqs.at(-1) !== last) seqs.push(JSON.parse(await raw.nextText()).seq);
        assert.deepEqual(
          seqs,
          Array.from({ length: last }, (_, index) => index + 1),
        );
      }
      await until(() => server.hub.getClientCount(1) === 1 + staying.length, 'those who stay');
    });
  });

  const stops = { skip: process.platform === 'win32' && 'there is no SIGSTOP' };

  describe(`a peer whose process stands still, ${form}`, stops, () => {
    async function startFrozen(t, server) {
      const program = runProgram(t, 'frozen-client.js', { url: server.url, roomId: 1 });
      const { pid } = await program.nextLine();
      return {
        program,
        freeze: () => process.kill(pid, 'SIGSTOP'),
        goOn: () => process.kill(pid, 'SIGCONT'),
      };
    }

    it('is found dead by the heartbeat', async t => {
      const server = await startHostile(t, { form, pingInterval: 100, pongTimeout: 1_000 });
      const { update } = await startWitness(server);
      const { program, freeze, goOn } = await startFrozen(t, server);
      assert.equal(server.hub.getClientCount(1), 2);
      const heard = nextEvent(server.hub, 'disconnect');
      freeze();
      await update();
      const [client, code] = await heard;
      assert.deepEqual([client.userId, code], ['frozen', 1006]);
      assert.equal(server.hub.getClientCount(1), 1);
      await update();
      // Nobody was there to read a Close frame.
      goOn();
      let line;
      do line = await program.nextLine();
      while (line.closed === undefined);
      assert.equal(line.closed, 1006);
    });

    it('reads on where it stopped once it goes on, and has the newest state', async t => {
      const server = await startHostile(t, {
        form,
        pingInterval: 600_000,
        slowTimeout: 600_000,
        maxBufferedBytes: 1_000,
      });
      const { update } = await startWitness(server);
      const { program, freeze, goOn } = await startFrozen(t, server);
      const slow = [];
      server.hub.on('slow', client => slow.push(client.userId));
      freeze();
      await until(async () => {
        await update(FILL);
        return slow.includes('frozen');
      }, 'the event slow');
      const last = await update({ event: 'LAST' });
      goOn();
      const seqs = [];
      let line;
      do {
        line = await program.nextLine();
        assert.equal(line.closed, undefined);
        if (line.seq !== undefined) seqs.push(line.seq);
      } while (!line.pong);
      assert.equal(seqs.at(-1), last);
      assert.ok(
        seqs.every((seq, index) => index === 0 || seq > seqs[index - 1]),
        `in order: ${seqs}`,
      );
      const next = await update();
      assert.deepEqual(await program.nextLine(), { seq: next, event: 'NEWS' });
    });
  });
}
