'use strict';

// Every frame that RFC 6455 §5 forbids, whole, cut in two, behind half a message, and in the same
// segment as the upgrade request: each is answered with the Close frame that the standard names. An
// RSV bit has killed a process (engine.io, CVE-2022-21676); here the aftermath tells.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const {
  OPCODE,
  closePayload,
  frame,
  openRaw,
  textFrame,
  upgradeRequest,
} = require('./support/raw');
const { FORMS } = require('./support/server');
const { CLEAN, assertRefused, openDoomed, watchEnd, writeCut } = require('./support/violations');
const { until } = require('./support/wait');

const DATA = { text: OPCODE.text, binary: OPCODE.binary };
const CONTROL = { close: OPCODE.close, ping: OPCODE.ping, pong: OPCODE.pong };
const ALL = { continuation: OPCODE.continuation, ...DATA, ...CONTROL };
const RESERVED = [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf];

const FIN = 0x80;
const MASK = [0x12, 0x34, 0x56, 0x78];

/** The beginning of a message of which more is to come, and one that is over. */
const BEGUN = frame(OPCODE.text, '{"action":', { fin: false });
const OVER = Buffer.concat([BEGUN, frame(OPCODE.continuation, '"PING"}')]);
const NOTHING = Buffer.alloc(0);

/** The header of a masked frame whose length takes `width` bytes, and nothing of its payload. */
function declaring(first, width, length) {
  const field = Buffer.alloc(8);
  field.writeBigUInt64BE(BigInt(length));
  const [marker, bytes] = width === 2 ? [126, field.subarray(6)] : [127, field];
  return Buffer.concat([Buffer.from([first, 0x80 | marker]), bytes, Buffer.from(MASK)]);
}

/** What has to stand before a frame for its opcode alone to be right. */
const before = opcode => (opcode === OPCODE.continuation ? BEGUN : NOTHING);

/** Where a header is cut whose first two bytes are wrong, and one whose length is. */
const IN_TWO_BYTES = [1];
const IN_A_LENGTH = Array.from({ length: 13 }, (_, at) => at + 1);

/**
 * All of them: what each is answered with, the frame, what has to come before it for nothing else to
 * be wrong, and where to cut it.
 */
function violations() {
  const all = [];
  const add = (name, code, bad, good = NOTHING, cuts = IN_TWO_BYTES) =>
    all.push({ name, code, bad, good, cuts });
  for (const [name, opcode] of Object.entries(ALL)) {
    add(`${name} without a mask`, 1002, frame(opcode, 'hi', { masked: false }), before(opcode));
    for (let rsv = 1; rsv <= 7; rsv += 1) {
      const bits = rsv.toString(2).padStart(3, '0');
      add(
        `${name} with the reserved bits ${bits}`,
        1002,
        frame(opcode, '', { rsv }),
        before(opcode),
      );
    }
  }
  for (const opcode of RESERVED) {
    for (const fin of [true, false]) {
      const name = `the reserved opcode ${opcode}, fin ${fin}`;
      add(name, 1002, frame(opcode, 'hi', { fin }));
      add(`${name}, in a message`, 1002, frame(opcode, 'hi', { fin }), BEGUN);
    }
  }
  for (const [name, opcode] of Object.entries(CONTROL)) {
    add(`${name} in fragments`, 1002, frame(opcode, '', { fin: false }));
    add(`${name} of 126 bytes`, 1002, frame(opcode, Buffer.alloc(126)));
    add(`${name} of 65536 bytes`, 1002, frame(opcode, Buffer.alloc(65_536)));
    add(`${name} that says 125 in two bytes`, 1002, declaring(FIN | opcode, 2, 125));
    add(`${name} that says 2 ** 63`, 1002, declaring(FIN | opcode, 8, 2n ** 63n));
  }
  for (const fin of [true, false]) {
    const continuation = frame(OPCODE.continuation, 'hi', { fin });
    add(`a continuation of nothing, fin ${fin}`, 1002, continuation);
    add(`a continuation of what is over, fin ${fin}`, 1002, continuation, OVER);
    for (const [name, opcode] of Object.entries(DATA)) {
      add(`${name} within a message, fin ${fin}`, 1002, frame(opcode, 'hi', { fin }), BEGUN);
    }
  }
  for (const [name, opcode] of Object.entries({ ...DATA, continuation: OPCODE.continuation })) {
    const good = before(opcode);
    for (const fin of [FIN, 0]) {
      const says = (width, length) => declaring(fin | opcode, width, length);
      const of = `${name}, fin ${fin > 0}, that says`;
      // The others' lengths are read by the same lines.
      const cuts = fin && opcode === OPCODE.text ? IN_A_LENGTH : [13];
      for (const length of [2n ** 63n, 2n ** 63n + 5n, 2n ** 64n - 1n]) {
        add(`${of} ${length}`, 1002, says(8, length), good, cuts);
      }
      for (const length of [65_537n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n]) {
        add(`${of} ${length}`, 1009, says(8, length), good, cuts);
      }
      for (const length of [0, 2, 125]) {
        const short = cuts.filter(cut => cut < 8);
        add(`${of} ${length} in two`, 1002, says(2, length), good, short);
      }
      for (const length of [0, 2, 125, 126, 65_535]) {
        add(`${of} ${length} in eight`, 1002, says(8, length), good, cuts);
      }
    }
  }
  return all;
}

/** The answer to what was right, where it was a whole message. */
async function readAnswers(raw, good) {
  if (good === OVER) assert.match(await raw.nextText(), /"PONG"/);
}

for (const form of FORMS) {
  describe(`a frame that may not be, ${form}`, () => {
    it('ends the connection with the Close frame that the standard names', async t => {
      const server = await startHostile(t, { form });
      for (const { name, code, bad, good } of violations()) {
        const raw = await openDoomed(server);
        raw.write(Buffer.concat([good, bad]));
        await readAnswers(raw, good);
        await assertRefused(raw, code, name);
      }
    });

    it('does so wherever its header is cut', async t => {
      const server = await startHostile(t, { form });
      for (const { name, code, bad, good, cuts } of violations()) {
        for (const cut of cuts) {
          const raw = await openDoomed(server);
          await writeCut(raw, Buffer.concat([good, bad]), good.length + cut);
          await readAnswers(raw, good);
          await assertRefused(raw, code, `${name}, cut at ${cut}`);
        }
      }
    });

    it('does so in the same segment as the upgrade request, whole or in half', async t => {
      const server = await startHostile(t, { form });
      for (const { name, code, bad, good } of violations()) {
        for (const cut of [bad.length, 1]) {
          const raw = watchEnd(await openRaw(server));
          const request = Buffer.from(upgradeRequest());
          raw.write(Buffer.concat([request, good, bad.subarray(0, cut)]));
          assert.equal((await raw.response()).status, 101);
          assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
          raw.write(bad.subarray(cut));
          await readAnswers(raw, good);
          await assertRefused(raw, code, `${name}, cut at ${cut}`);
        }
      }
    });

    it('is no matter to those who are in the same room', async t => {
      const server = await startHostile(t, { form });
      const witness = await openDoomed(server, { target: '/ws/rooms?userId=witness' });
      witness.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
      assert.match(await witness.nextText(), /ROOM_JOINED/);
      for (const [number, { name, code, bad, good }] of violations().entries()) {
        const raw = await openDoomed(server);
        raw.write(Buffer.concat([textFrame({ action: 'JOIN_ROOM', roomId: 1 }), good, bad]));
        assert.match(await raw.nextText(), /ROOM_JOINED/);
        await readAnswers(raw, good);
        await assertRefused(raw, code, name);
        server.hub.broadcastRoomUpdate(1, { event: 'ROUND', number });
        assert.equal(JSON.parse(await witness.nextText()).number, number);
        await until(() => server.hub.getClientCount(1) === 1, `the end of its membership: ${name}`);
      }
    });
  });

  describe(`a conversation as it may be, ${form}`, () => {
    it('is the same wherever it is cut', async t => {
      const server = await startHostile(t, { form });
      const long = `{"action":"LONG","pad":"${'x'.repeat(200)}"}`;
      const bytes = Buffer.concat([
        frame(OPCODE.text, '{"action":', { fin: false }),
        frame(OPCODE.ping, 'between'),
        frame(OPCODE.continuation, '', { fin: false }),
        frame(OPCODE.continuation, '"PING"}'),
        frame(OPCODE.pong, 'unasked'),
        frame(OPCODE.binary, long),
        frame(OPCODE.close, closePayload(3000, 'done')),
      ]);
      for (let cut = 1; cut < bytes.length; cut += 1) {
        const raw = await openDoomed(server);
        await writeCut(raw, bytes, cut);
        assert.equal(await raw.ending, CLEAN, `cut at ${cut}`);
        const texts = raw.frames
          .filter(({ opcode }) => opcode === OPCODE.text)
          .map(({ payload }) => payload.toString());
        assert.equal(texts.length, 3, `cut at ${cut}`);
        assert.match(texts[1], /"PONG"/);
        assert.equal(texts[2], '{"type":"ERROR","error":"Unknown action","action":"LONG"}');
        const { opcode, payload } = raw.frames.at(-1);
        assert.equal(opcode, OPCODE.close, `cut at ${cut}`);
        assert.deepEqual(payload, closePayload(3000));
      }
    });
  });
}
