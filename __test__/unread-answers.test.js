'use strict';

// Clients that have the hub answer and never read: Pongs are joined into one (ws before 8.23.0 kept
// them all), and other answers wait only as far as the client's backlog may go, since nothing more is
// read from it then (RUSTSEC-2020-0043: an output buffer without bound).

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { OPCODE, frame, openSession, textFrame } = require('./support/raw');
const { FORMS } = require('./support/server');
const { FILL, OPTIONS } = require('./support/slow-member');
const { until } = require('./support/wait');

const PINGS = 50_000;
/** Eight digits, and the rest of what a Ping may carry. */
const payloadOf = number => String(number).padEnd(125, '.');

/** How many messages the hub has read, of one action or in all. */
function readSoFar(hub, action = '[^"]+') {
  const line = new RegExp(
    `^roomcast_messages_received_total\\{action="${action}"\\} (\\d+)$`,
    'gm',
  );
  const counts = [...hub.metrics().matchAll(line)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

for (const form of FORMS) {
  describe(`a flood of Pings, ${form}`, () => {
    it('costs one Pong where nobody reads, the newest', async t => {
      const maxBufferedBytes = 1_000_000;
      const server = await startHostile(t, { form, ...OPTIONS, maxBufferedBytes });
      const { hub } = server;
      const raw = await openSession(server);
      raw.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
      await raw.nextText();
      raw.socket.pause();
      // Until the kernel takes no more and the backlog is conflated: it is small then, but not empty.
      await until(() => {
        for (let more = 0; more < 20; more += 1) hub.broadcastRoomUpdate(1, FILL);
        return hub.getStats().conflatedTotal > 0;
      }, 'a full socket');
      await until(() => {
        const { deliveriesTotal, updatesTotal } = hub.getStats();
        return deliveriesTotal === updatesTotal;
      }, 'the last of the updates');
      const before = hub.getStats().bufferedBytes;
      assert.ok(before < 2 * maxBufferedBytes, `${before}`);

      const pings = Array.from({ length: PINGS }, (_, number) =>
        frame(OPCODE.ping, payloadOf(number)),
      );
      raw.write(Buffer.concat([...pings, textFrame({ action: 'PING' })]));
      await until(() => readSoFar(hub, 'PING') === 1, 'the end of the Pings');
      const grown = hub.getStats().bufferedBytes - before;
      // One Pong with its header, and the answer to the message behind them.
      assert.ok(grown <= 127 + 80, `${grown} bytes more wait`);

      raw.socket.resume();
      await until(() => raw.frames.some(({ payload }) => payload.includes('"PONG"')), 'the answer');
      const pongs = raw.frames.filter(({ opcode }) => opcode === OPCODE.pong);
      assert.equal(pongs.at(-1).payload.toString(), payloadOf(PINGS - 1));
      assert.ok(pongs.length < PINGS / 10, `${pongs.length} Pongs`);
    });
  });

  describe(`answers that nobody reads, ${form}`, () => {
    const messages = {
      errors: '{"action":"x"}',
      'errors that repeat what was sent': JSON.stringify({ action: 'x'.repeat(64) }),
      'joins of one room': '{"action":"JOIN_ROOM","roomId":1}',
      'joins and leaves': ['JOIN_ROOM', 'LEAVE_ROOM'].map(action =>
        JSON.stringify({ action, roomId: 'r'.repeat(128) }),
      ),
      'what is no JSON': '}',
    };
    for (const [name, message] of Object.entries(messages)) {
      it(`are bounded: ${name}`, async t => {
        const server = await startHostile(t, { form, ...OPTIONS, maxBufferedBytes: 65_536 });
        const { hub } = server;
        const other = await connect(server, { userId: 'other' });
        const raw = await openSession(server);
        raw.socket.pause();
        const texts = [message].flat();
        const block = Buffer.concat(texts.map(text => frame(OPCODE.text, text)));
        const repeats = Math.ceil((32 * 1024 * 1024) / block.length);
        raw.write(Buffer.alloc(block.length * repeats, block));
        // They are read until nothing moves any more; the backlog is bounded all the while.
        let [highest, read] = [0, 0];
        await until(async () => {
          highest = Math.max(highest, hub.getStats().bufferedBytes);
          const before = read;
          read = readSoFar(hub);
          await new Promise(resolve => setTimeout(resolve, 50));
          return read > 0 && read === before;
        }, 'a standstill');
        assert.ok(read < texts.length * repeats, 'all was read from a client that does not read');
        // The answer that goes over the limit is the last for which a message is read.
        assert.ok(highest < 65_536 + 1_000, `${highest} bytes waited`);
        assert.deepEqual(await other.settle(), []);
      });
    }
  });
}
