'use strict';

// Close frames as none may be, and clients that do not let a connection end: the hub's own Close frame
// arrives whole all the same, once, with the end of the stream behind it (RFC 6455 §5.5.1, §7.1).

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { questions } = require('./support/hooks');
const {
  OPCODE,
  closePayload,
  frame,
  openRaw,
  textFrame,
  upgradeRequest,
} = require('./support/raw');
const { FORMS } = require('./support/server');
const {
  CLEAN,
  assertClosed,
  assertRefused,
  openDoomed,
  watchEnd,
} = require('./support/violations');
const { until } = require('./support/wait');

/** RFC 6455 §7.4: not in use, for no frame, reserved, or out of range. */
const WRONG_CODES = [
  ...[0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 9999, 32_768, 65_535],
];
const RIGHT_CODES = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014],
  ...[3000, 3999, 4000, 4999],
];

/** One violation for each of the codes that a client can bring about. */
const VIOLATIONS = [
  [1002, frame(OPCODE.text, 'hi', { masked: false })],
  [1007, frame(OPCODE.text, Buffer.from([0xff]))],
  [1009, frame(OPCODE.binary, Buffer.alloc(65_537))],
];

/** Far more than the kernel keeps for a socket that nobody reads. */
const FLOOD = Buffer.alloc(16 * 1024 * 1024, frame(OPCODE.text, '{"action":"PING"}'));

for (const form of FORMS) {
  describe(`a Close frame, ${form}`, () => {
    it('with a code that may not be sent is answered with 1002', async t => {
      const server = await startHostile(t, { form });
      for (const code of WRONG_CODES) {
        for (const reason of ['', 'why']) {
          const raw = await openDoomed(server);
          raw.write(frame(OPCODE.close, closePayload(code, reason)));
          await assertRefused(raw, 1002, `${code} '${reason}'`);
        }
      }
    });

    it('with a code that may be sent is answered with just that code', async t => {
      const server = await startHostile(t, { form });
      for (const code of RIGHT_CODES) {
        for (const reason of ['', 'x'.repeat(123)]) {
          const raw = await openDoomed(server);
          raw.write(frame(OPCODE.close, closePayload(code, reason)));
          await assertClosed(raw, { code, reason: '' }, `${code} '${reason}'`);
        }
      }
    });

    it('of one byte is answered with 1002, whichever', async t => {
      const server = await startHostile(t, { form });
      for (const byte of [0, 3, 0x80, 0xff]) {
        const raw = await openDoomed(server);
        raw.write(frame(OPCODE.close, Buffer.from([byte])));
        await assertRefused(raw, 1002, String(byte));
      }
    });

    it('ends a message that is half there', async t => {
      const server = await startHostile(t, { form });
      const raw = await openDoomed(server);
      raw.write(frame(OPCODE.text, '{"action":', { fin: false }));
      raw.write(frame(OPCODE.close, closePayload(1000)));
      await assertClosed(raw, { code: 1000, reason: '' });
    });

    it('is the last word, whatever comes behind it', async t => {
      const server = await startHostile(t, { form });
      for (const behind of [
        frame(OPCODE.close, closePayload(4000)),
        frame(OPCODE.close, closePayload(1005)),
        frame(OPCODE.ping, 'still there?'),
        ...VIOLATIONS.map(([, bytes]) => bytes),
        FLOOD,
      ]) {
        const raw = await openDoomed(server);
        raw.write(Buffer.concat([frame(OPCODE.close, closePayload(1000)), behind]));
        await assertClosed(raw, { code: 1000, reason: '' });
      }
    });
  });

  describe(`the Close frame for a violation, ${form}`, () => {
    for (const [code, violation] of VIOLATIONS) {
      it(`arrives whole at a client that goes on sending: ${code}`, async t => {
        const server = await startHostile(t, { form });
        const raw = await openDoomed(server);
        raw.write(Buffer.concat([violation, FLOOD]));
        await assertRefused(raw, code);
      });
    }

    it('comes behind all answers that are owed', async t => {
      const server = await startHostile(t, { form });
      for (const [code, violation] of VIOLATIONS) {
        const raw = await openDoomed(server);
        const asked = Array.from({ length: 100 }, (_, roomId) =>
          textFrame({ action: 'GET_ROOM_STATUS', roomId }),
        );
        raw.write(Buffer.concat([...asked, violation, FLOOD]));
        for (let roomId = 0; roomId < asked.length; roomId += 1) {
          assert.equal(JSON.parse(await raw.nextText()).roomId, roomId);
        }
        await assertRefused(raw, code);
      }
    });

    it('is waited for no longer than a moment where the client does not end its side', async t => {
      const server = await startHostile(t, { form });
      const clients = VIOLATIONS.map(async ([code, violation]) => {
        const raw = await openDoomed(server, {}, { allowHalfOpen: true });
        let gone = false;
        raw.socket.once('close', () => {
          gone = true;
        });
        raw.write(violation);
        await assertRefused(raw, code);
        // It is read from for a while after that, and then no more.
        await until(() => {
          if (!gone) raw.write(frame(OPCODE.ping, 'still there?'));
          return server.hub.getStats().openConnections === 0;
        }, 'the end of the connection');
      });
      await Promise.all(clients);
    });

    it('does not come a second time where the hub was closing already', async t => {
      const server = await startHostile(t, { form });
      for (const [, violation] of VIOLATIONS) {
        const raw = await openDoomed(server);
        server.hub.disconnectUser('raw', 4001, 'Elsewhere');
        await until(() => raw.frames.at(-1).opcode === OPCODE.close, 'the Close frame');
        raw.write(Buffer.concat([violation, FLOOD]));
        await assertClosed(raw, { code: 4001, reason: 'Elsewhere' });
      }
    });

    it('waits for the verdict on who this is', async t => {
      const { hook, call } = questions();
      const authenticate = (request, ...rest) =>
        request.url.includes('fresh') ? 'fresh' : hook(request, ...rest);
      const server = await startHostile(t, { form, authenticate });
      let calls = 0;
      for (const [code, violation] of VIOLATIONS) {
        for (const verdict of ['raw', null]) {
          const raw = watchEnd(await openRaw(server));
          raw.write(Buffer.concat([Buffer.from(upgradeRequest()), violation, FLOOD]));
          assert.equal((await raw.response()).status, 101);
          (await call(calls)).resolve(verdict);
          calls += 1;
          if (verdict === null) {
            await assertClosed(raw, { code: 1008, reason: 'Unauthorized' });
          } else {
            assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
            await assertRefused(raw, code);
          }
        }
      }
    });
  });

  describe(`a client that is deaf, ${form}`, () => {
    it('is let go though it never reads the Close frame for its violation', async t => {
      const server = await startHostile(t, { form });
      const clients = VIOLATIONS.map(async ([, violation]) => {
        const raw = await openDoomed(server);
        raw.socket.pause();
        raw.write(violation);
        await until(() => server.hub.getStats().openConnections === 0, 'its end');
        raw.socket.resume();
        assert.equal(await raw.ending, CLEAN);
        raw.terminate();
      });
      await Promise.all(clients);
    });
  });
}
