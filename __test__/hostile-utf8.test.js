'use strict';

// Text that is not UTF-8, cut at every byte, into fragments and into TCP segments: 1007 each time
// (RFC 6455 §8.1), and no later than its first wrong byte. Text that is UTF-8 survives all of that.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { OPCODE, closePayload, frame } = require('./support/raw');
const { FORMS } = require('./support/server');
const { assertRefused, openDoomed, writeCut } = require('./support/violations');

/** By what is wrong with them (Unicode 17, §3.9, table 3-7). */
const BROKEN = {
  'bytes that never occur': [0xfe],
  'a continuation byte alone': [0x80],
  'a lead byte alone': [0xc3],
  'a lead byte behind a lead byte': [0xe2, 0xc3, 0xa9],
  'a slash in two bytes': [0xc0, 0xaf],
  'a slash in three bytes': [0xe0, 0x80, 0xaf],
  'a slash in four bytes': [0xf0, 0x80, 0x80, 0xaf],
  'the last character that fits one byte less': [0xe0, 0x9f, 0xbf],
  'the first surrogate': [0xed, 0xa0, 0x80],
  'the last surrogate': [0xed, 0xbf, 0xbf],
  'a pair of surrogates': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  'the first beyond the last character': [0xf4, 0x90, 0x80, 0x80],
  'five bytes': [0xf8, 0x88, 0x80, 0x80, 0x80],
  'a character without its last byte': [0xf0, 0x9f, 0x98],
};

/** The first and the last character of each length, those beside the surrogates, and some between. */
const WHOLE = [
  ...['\u0080', '\u00e9', '\u07ff', '\u0800', '\u20ac', '\ud7ff', '\ue000', '\uffff'],
  ...['\u{10000}', '\u{1f600}', '\u{10ffff}'],
];

const around = middle =>
  Buffer.concat([Buffer.from('{"action":"'), Buffer.from(middle), Buffer.from('"}')]);

/** A text in two fragments, and one in as many as it has bytes. */
const inTwo = (text, cut) =>
  Buffer.concat([
    frame(OPCODE.text, text.subarray(0, cut), { fin: false }),
    frame(OPCODE.continuation, text.subarray(cut)),
  ]);
const inBytes = text =>
  Buffer.concat(
    Array.from(text, (byte, at) =>
      frame(at === 0 ? OPCODE.text : OPCODE.continuation, Buffer.from([byte]), {
        fin: at === text.length - 1,
      }),
    ),
  );

for (const form of FORMS) {
  describe(`text that is not UTF-8, ${form}`, () => {
    for (const [name, bytes] of Object.entries(BROKEN)) {
      it(`ends with 1007 however it is cut: ${name}`, async t => {
        const server = await startHostile(t, { form });
        const text = around(bytes);
        const send = async (what, act) => {
          const raw = await openDoomed(server);
          await act(raw);
          await assertRefused(raw, 1007, what);
        };
        await send('in single bytes', raw => raw.write(inBytes(text)));
        for (let cut = 0; cut <= text.length; cut += 1) {
          await send(`fragments cut at ${cut}`, raw => raw.write(inTwo(text, cut)));
        }
        const single = frame(OPCODE.text, text);
        for (let cut = 1; cut < single.length; cut += 1) {
          await send(`segments cut at ${cut}`, raw => writeCut(raw, single, cut));
        }
      });
    }

    it('ends with 1007 where the message ends within a character', async t => {
      const server = await startHostile(t, { form });
      const text = Buffer.from('{"action":"\u{1f600}');
      for (let missing = 1; missing <= 3; missing += 1) {
        const cut = text.subarray(0, -missing);
        for (const bytes of [
          frame(OPCODE.text, cut),
          inBytes(cut),
          Buffer.concat([
            frame(OPCODE.text, cut, { fin: false }),
            frame(OPCODE.continuation, '', { fin: false }),
            frame(OPCODE.continuation, ''),
          ]),
        ]) {
          const raw = await openDoomed(server);
          raw.write(bytes);
          await assertRefused(raw, 1007, `${missing} missing`);
        }
      }
    });

    it('ends with 1007 before the frame or the message is whole', async t => {
      const server = await startHostile(t, { form });
      for (const [name, bytes] of Object.entries(BROKEN)) {
        const text = Buffer.concat([around(bytes), Buffer.alloc(100, 'x')]);
        for (const beginning of [
          frame(OPCODE.text, text).subarray(0, -50),
          frame(OPCODE.text, text, { fin: false }),
        ]) {
          const raw = await openDoomed(server);
          raw.write(beginning);
          await assertRefused(raw, 1007, name);
        }
      }
    });

    it('ends with 1007 in the reason of a Close frame', async t => {
      const server = await startHostile(t, { form });
      for (const [name, bytes] of Object.entries(BROKEN)) {
        for (const pad of ['', 'x'.repeat(123 - bytes.length)]) {
          const reason = Buffer.concat([Buffer.from(pad), Buffer.from(bytes)]);
          const close = frame(OPCODE.close, Buffer.concat([closePayload(1000), reason]));
          const raw = await openDoomed(server);
          await writeCut(raw, close, close.length - 1);
          await assertRefused(raw, 1007, name);
        }
      }
    });
  });

  describe(`text that is UTF-8, ${form}`, () => {
    it('arrives however it is cut', async t => {
      const server = await startHostile(t, { form, messageBurst: 1_000_000 });
      const raw = await openDoomed(server);
      for (const character of WHOLE) {
        const text = around(character);
        const single = frame(OPCODE.text, text);
        const echo = `{"type":"ERROR","error":"Unknown action","action":"${character}"}`;
        raw.write(inBytes(text));
        assert.equal(await raw.nextText(), echo);
        for (let cut = 0; cut <= text.length; cut += 1) {
          raw.write(inTwo(text, cut));
          assert.equal(await raw.nextText(), echo, `fragments cut at ${cut}`);
        }
        for (let cut = 1; cut < single.length; cut += 1) {
          await writeCut(raw, single, cut);
          assert.equal(await raw.nextText(), echo, `segments cut at ${cut}`);
        }
      }
    });

    it('is asked of text alone: a binary message that is none is an error, and no more', async t => {
      const raw = await openDoomed(await startHostile(t, { form }));
      for (const bytes of Object.values(BROKEN)) {
        raw.write(frame(OPCODE.binary, around(bytes)));
        assert.equal(await raw.nextText(), '{"type":"ERROR","error":"Message processing error"}');
      }
    });
  });
}
