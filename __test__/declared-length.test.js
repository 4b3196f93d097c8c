'use strict';

// What a client only announces costs nothing: no memory is set aside for a length that a header
// declares (RUSTSEC-2022-0035), and none for reading or joining beyond what has come. tungstenite by
// itself sets aside the declared length of every frame, and 128 KiB per connection for reading.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { OPCODE, frame, openSession } = require('./support/raw');
const { noMemory, setAside } = require('./support/memory');

const MB = 1024 * 1024;

/** TLS connections have buffers of their own, and take longer to come by. */
const CROWDS = [
  { form: 'http', connections: 2_000, maxPayload: MB },
  { form: 'https', connections: 500, maxPayload: 4 * MB },
  { form: 'standalone', connections: 2_000, maxPayload: MB },
];

/** What a connection with part of a message may cost, at the very most. */
const COST = 8 * 1024;

/** For what V8 does meanwhile. */
const SLACK = 48 * MB;

/** The header of a message's last frame with a payload of `length`, of which nothing follows. */
function declaring(length) {
  const header = Buffer.alloc(14);
  header.set([0x80 | OPCODE.continuation, 0xff]);
  header.writeBigUInt64BE(BigInt(length), 2);
  return header;
}

/** Sends `bytes` to the hub on every connection; it has taken them in when this resolves. */
async function sendAll(crowd, bytes) {
  for (const raw of crowd) raw.write(Buffer.concat([frame(OPCODE.ping), bytes]));
  // The Ping is answered when what came with it has been decoded.
  for (const raw of crowd) assert.equal((await raw.nextFrame()).opcode, OPCODE.pong);
}

for (const { form, connections, maxPayload } of CROWDS) {
  describe(`a message that does not come, ${form}`, () => {
    const title = `costs ${connections} connections no memory, whatever length they declare`;
    it(title, { skip: noMemory }, async t => {
      const server = await startHostile(t, { form, maxPayload });
      const crowd = [];
      while (crowd.length < connections) crowd.push(await openSession(server));
      const before = setAside();
      const grown = () => setAside() - before;

      await sendAll(crowd, frame(OPCODE.text, '{', { fin: false }));
      const begun = grown();
      await sendAll(crowd, declaring(maxPayload - 1));
      const declared = grown();
      const mb = bytes => `${(bytes / MB).toFixed(1)} MB`;
      t.diagnostic(`begun: ${mb(begun)}, declared: ${mb(declared)}`);
      assert.ok(begun < SLACK + connections * COST, `${mb(begun)} for messages of one byte`);
      assert.ok(declared < SLACK + connections * COST, `${mb(declared)} for lengths alone`);

      // It is a message like any other once it comes; a mask of zeros leaves it as it is.
      const payload = Buffer.alloc(maxPayload - 1, ' ');
      payload.write('"action":"PING"}');
      crowd[0].write(payload);
      assert.match(await crowd[0].nextText(), /"PONG"/);
    });
  });
}
