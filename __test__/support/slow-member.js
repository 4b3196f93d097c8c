'use strict';

const assert = require('node:assert/strict');
const { connect } = require('./client');
const { OPCODE, openSession, textFrame } = require('./raw');
const { startServer } = require('./server');
const { until } = require('./wait');

/** A large update, of which the kernel's buffers do not take many. */
const FILL = { event: 'FILL', pad: 'x'.repeat(60_000) };

/** More than the kernel takes for one socket that nobody reads, by far. */
const AT_MOST = 2_000;

/** For how long the kernel has to have taken nothing. */
const QUIET_MS = 200;

/** Everything past the first kilobyte is a backlog here; nothing is about rates. */
const OPTIONS = {
  maxBufferedBytes: 1_000,
  slowTimeout: 600_000,
  pingInterval: 600_000,
  messageRate: 10_000_000,
  messageBurst: 10_000_000,
};

/** The rooms that the tests are about. */
const ROOMS = [1, 2, 3];

/**
 * What the frames so far say, parsed, with close frames as `{ close: code }` and pings left out.
 */
function messagesOf(raw) {
  return raw.frames
    .filter(({ opcode }) => opcode !== OPCODE.ping)
    .map(({ opcode, payload }) =>
      opcode === OPCODE.close ? { close: payload.readUInt16BE() } : JSON.parse(payload),
    );
}

/**
 * A raw client that is in ROOMS and in so many `fillers`, and does not read any more; and a witness
 * that is in all of them and has read every update: `broadcast` waits for that. `slow` has the raw
 * client once for every `slow` event.
 */
async function startMember(t, form, { fillers = 30, ...options } = {}) {
  const server = await startServer(t, { form, ...OPTIONS, ...options });
  const { hub } = server;
  const slow = [];
  hub.on('slow', client => {
    if (client.userId === 'raw') slow.push(client);
  });
  const filling = Array.from({ length: fillers }, (_, number) => `filler ${number}`);
  const witness = await connect(server, { userId: 'witness' });
  const raw = await openSession(server);
  for (const roomId of [...filling, ...ROOMS]) {
    await witness.join(roomId);
    raw.write(textFrame({ action: 'JOIN_ROOM', roomId }));
    await raw.nextText();
  }
  raw.socket.pause();
  async function broadcast(roomId, update) {
    assert.equal(hub.broadcastRoomUpdate(roomId, update), true);
    return witness.nextMessage();
  }
  return { server, hub, witness, raw, slow, broadcast, filling };
}

/**
 * The same, when updates of the fillers have filled the kernel's buffers and then the front of the
 * raw client's backlog: what the kernel comes to take after all is of these.
 */
async function stall(t, form, options) {
  const member = await startMember(t, form, options);
  const { hub, broadcast, filling, slow } = member;
  // Whether the update before still waited, and so gave way to this one.
  async function isStuck(update) {
    const before = hub.getStats().conflatedTotal;
    await broadcast(filling[0], update);
    return hub.getStats().conflatedTotal > before;
  }
  // Acknowledgements may be delayed (RFC 1122 §4.2.3.2), and the kernel takes more when they come.
  let since = Date.now();
  for (let count = 0; Date.now() - since < QUIET_MS; count += 1) {
    assert.ok(count < AT_MOST, 'never slow');
    if (await isStuck({ event: 'SMALL' })) await new Promise(resolve => setTimeout(resolve, 5));
    else {
      await broadcast(filling[0], FILL);
      since = Date.now();
    }
  }
  await until(() => slow.length > 0, 'the event slow');
  for (const roomId of filling) await broadcast(roomId, FILL);
  return member;
}

/** Reads on until an update with that seq of that room is here; all updates of ROOMS by then. */
async function readOn(raw, { roomId, seq }) {
  raw.socket.resume();
  const isLast = message => message.roomId === roomId && message.seq === seq;
  await until(() => messagesOf(raw).some(isLast), `update ${seq} of room ${roomId}`);
  return messagesOf(raw).filter(
    ({ type, roomId: of }) => type === 'ROOM_UPDATE' && ROOMS.includes(of),
  );
}

module.exports = { FILL, OPTIONS, messagesOf, readOn, stall, startMember };
