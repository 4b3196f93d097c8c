'use strict';

// Messages that never end: fragments of one byte, and of none, as fast as they can be sent (ws,
// CVE-2026-48779; undici, CVE-2026-12151). They count towards the limits, and keep nothing.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { aftermath, startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { noMemory, setAside } = require('./support/memory');
const { OPCODE, frame } = require('./support/raw');
const { FORMS, startServer } = require('./support/server');
const { assertClosed, assertRefused, openDoomed } = require('./support/violations');

const MB = 1024 * 1024;
const UNLIMITED = { messageRate: 10_000_000, messageBurst: 10_000_000 };

const START = frame(OPCODE.text, '{"action":', { fin: false });
const END = frame(OPCODE.continuation, '"PING"}');

/** So many fragments in a row. */
const fragments = (payload, count) => {
  const one = frame(OPCODE.continuation, payload, { fin: false });
  return Buffer.alloc(one.length * count, one);
};

/** Writes so that no more waits here than the kernel takes. */
function writeAll(raw, bytes) {
  return new Promise(resolve => raw.socket.write(bytes, resolve));
}

for (const form of FORMS) {
  describe(`fragments without end, ${form}`, () => {
    it('of one byte each are as long as a message may be, and then too long', async t => {
      const server = await startHostile(t, { form, ...UNLIMITED });
      const raw = await openDoomed(server);
      raw.write(Buffer.concat([START, fragments(' ', 200_000)]));
      await assertRefused(raw, 1009);
    });

    it('of nothing at all are kept nowhere', { skip: noMemory }, async t => {
      const server = await startHostile(t, { form, ...UNLIMITED });
      const other = await connect(server);
      const raw = await openDoomed(server);
      const block = fragments('', 10_000);
      raw.write(START);
      for (let warm = 0; warm < 20; warm += 1) await writeAll(raw, block);
      const before = setAside();
      const blocks = 300;
      for (let sent = 0; sent < blocks; sent += 1) await writeAll(raw, block);
      await other.settle();
      raw.write(END);
      assert.match(await raw.nextText(), /"PONG"/);
      const grown = setAside() - before;
      t.diagnostic(`${(grown / MB).toFixed(1)} MB for 3 million fragments`);
      // Were only a pointer kept of each, it would be 24 MB.
      assert.ok(grown < 20 * MB, `${grown} bytes`);
    });
  });
}

describe('fragments without end', () => {
  it('end the connection with 1008 where they are a flood, while others are served', async t => {
    // All forms at once: it takes a client 5 s to be a flood.
    const end = aftermath(t);
    const floods = FORMS.map(async form => {
      const server = await startServer(t, { form });
      end.of(server);
      const other = await connect(server);
      const raw = await openDoomed(server);
      const block = fragments('', 1_000);
      let going = true;
      raw.socket.once('close', () => {
        going = false;
      });
      const flood = (async () => {
        raw.write(START);
        while (going) {
          await Promise.race([writeAll(raw, block), raw.ending]);
          await new Promise(resolve => setTimeout(resolve, 10));
          if (raw.frames.some(({ opcode }) => opcode === OPCODE.close)) going = false;
        }
      })();
      for (let round = 0; round < 20; round += 1) await other.settle();
      await flood;
      await assertClosed(raw, { code: 1008, reason: 'Rate limit exceeded' });
    });
    await Promise.all(floods);
  });
});
