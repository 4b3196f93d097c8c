// What hostile clients do, one after another, and what each has to come to: `expected` is what `run`
// resolves with (undefined: broken off). The tests go through far more of the kind; here it all meets
// a busy hub.

import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(import.meta.url);
const { OPCODE, closePayload, frame, openRaw, openSession, textFrame, upgradeRequest } =
  require('../../__test__/support/raw.js');

/** So often a flood sends, and so much at a time: 300 a second, where 20 are allowed. */
const FLOOD_MS = 100;
const FLOOD = 30;

let number = 0;
const target = () => `/ws/rooms?userId=hostile-${++number}`;
const session = server => openSession(server, { target: target() });

/** The first Close frame's code and reason. */
async function closeOf(raw) {
  for (;;) {
    const { opcode, payload } = await raw.nextFrame();
    if (opcode !== OPCODE.close) continue;
    await raw.closed;
    return `${payload.readUInt16BE()} ${payload.toString('utf8', 2)}`.trim();
  }
}

/** An RST, where TLS does not lie between. */
function reset(raw) {
  if (raw.socket.encrypted) raw.socket.destroy();
  else raw.socket.resetAndDestroy();
  return raw.closed;
}

/** Bytes that break the protocol, and the code that RFC 6455 §7.4.1 has for that. */
const violation = (name, bytes, code) => ({
  name,
  expected: String(code),
  async run(server) {
    const raw = await session(server);
    raw.write(bytes);
    // The reason is ours to choose.
    return (await closeOf(raw)).split(' ')[0];
  },
});

/** More than the message rate, of whatever counts towards it. */
const flood = (name, first, more) => ({
  name,
  expected: '1008 Rate limit exceeded',
  async run(server) {
    const raw = await session(server);
    raw.write(first);
    const block = Buffer.concat(Array.from({ length: FLOOD }, () => more));
    const timer = setInterval(() => raw.write(block), FLOOD_MS);
    try {
      return await closeOf(raw);
    } finally {
      clearInterval(timer);
      raw.terminate();
    }
  },
});

/** A request that is none, or not for a WebSocket. */
const request = (name, bytes, status) => ({
  name,
  expected: status,
  async run(server) {
    const raw = await openRaw(server);
    raw.write(bytes());
    const response = await raw.response();
    raw.terminate();
    return response.status;
  },
});

const PING = { action: 'PING' };
const headerOnly = (first, length) => {
  const bytes = Buffer.alloc(14);
  bytes.writeUInt16BE((first << 8) | 0x80 | 127);
  bytes.writeBigUInt64BE(length, 2);
  return bytes;
};

export const ATTACKS = [
  violation('an unmasked frame', textFrame(PING, { masked: false }), 1002),
  violation('a reserved bit', textFrame(PING, { rsv: 4 }), 1002),
  violation('a reserved opcode', frame(0xb, ''), 1002),
  violation('a continuation of nothing', frame(OPCODE.continuation, 'x'), 1002),
  violation('a ping in two frames', frame(OPCODE.ping, 'x', { fin: false }), 1002),
  violation('a ping of 126 bytes', frame(OPCODE.ping, 'x'.repeat(126)), 1002),
  violation('a close of one byte', frame(OPCODE.close, 'x'), 1002),
  violation('a close with a reserved code', frame(OPCODE.close, closePayload(1006)), 1002),
  violation('text that is not UTF-8', frame(OPCODE.text, Buffer.from([0xc3, 0x28])), 1007),
  violation('a message over maxPayload', frame(OPCODE.text, 'x'.repeat(70_000)), 1009),
  violation('a length of 2^62', headerOnly(0x81, 2n ** 62n), 1009),
  flood('more messages than allowed', '', textFrame(PING)),
  flood('pings without end', '', frame(OPCODE.ping, 'x')),
  flood(
    'fragments without end',
    frame(OPCODE.text, 'x', { fin: false }),
    frame(OPCODE.continuation, '', { fin: false }),
  ),
  request('bytes that are no request', () => '\x16\x03\x01 no HTTP\r\n\r\n', 400),
  request('a handshake without a key', () => keyless(null), 400),
  request('a handshake with a short key', () => keyless('c2hvcnQ='), 400),
  request(
    'another version of the protocol',
    () => upgradeRequest({ target: target(), headers: { 'Sec-WebSocket-Version': '8' } }),
    426,
  ),
  request(
    'a head of 20 KiB',
    () => upgradeRequest({ target: target(), headers: { Cookie: 'x'.repeat(20_480) } }),
    431,
  ),
  {
    name: 'half a request, and an RST',
    expected: 'gone',
    async run(server, random) {
      const raw = await openRaw(server);
      const bytes = upgradeRequest({ target: target() });
      raw.write(bytes.slice(0, random.integer(1, bytes.length - 1)));
      await sleep(random.integer(0, 2_000));
      await reset(raw);
      return 'gone';
    },
  },
  {
    name: 'an RST in the middle of a frame',
    expected: 'gone',
    async run(server, random) {
      const raw = await session(server);
      const bytes = textFrame({ action: 'JOIN_ROOM', roomId: 1 });
      raw.write(bytes.subarray(0, random.integer(1, bytes.length - 1)));
      await sleep(random.integer(0, 200));
      await reset(raw);
      return 'gone';
    },
  },
  {
    name: 'an RST behind the request',
    expected: 'gone',
    async run(server) {
      const raw = await openRaw(server);
      raw.write(upgradeRequest({ target: target() }));
      await reset(raw);
      return 'gone';
    },
  },
  {
    name: 'an end without a Close frame',
    expected: 'ended',
    async run(server) {
      const raw = await session(server);
      raw.socket.end();
      await raw.closed;
      return 'ended';
    },
  },
  {
    name: 'a connection that says nothing',
    expected: 'gone',
    async run(server, random) {
      const raw = await openRaw(server);
      await Promise.race([sleep(random.integer(0, 3_000)), once(raw.socket, 'close')]);
      await reset(raw);
      return 'gone';
    },
  },
  {
    name: 'a peer that answers no ping',
    expected: 'ended without a Close frame',
    async run(server, _random, calm) {
      const raw = await session(server);
      await Promise.race([raw.closed, once(calm, 'abort')]);
      if (calm.aborted) return undefined;
      const closes = raw.frames.filter(({ opcode }) => opcode === OPCODE.close);
      return closes.length === 0 ? 'ended without a Close frame' : 'ended with a Close frame';
    },
  },
  {
    name: 'names that JavaScript knows',
    expected: 'ROOM_JOINED ROOM_STATUS ROOM_LEFT ERROR',
    async run(server) {
      const raw = await session(server);
      const roomId = 'constructor';
      for (const action of ['JOIN_ROOM', 'GET_ROOM_STATUS', 'LEAVE_ROOM', '__proto__']) {
        raw.write(textFrame({ action, roomId }));
      }
      const types = [];
      while (types.length < 4) types.push(JSON.parse(await raw.nextText()).type);
      raw.terminate();
      return types.join(' ');
    },
  },
];

function keyless(key) {
  return upgradeRequest({ target: target(), headers: { 'Sec-WebSocket-Key': key } });
}
