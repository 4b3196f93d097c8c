'use strict';

// A client that stops reading: it costs a bounded backlog, finds the newest state when it reads on,
// keeps the answers to its own messages, and is let go where it never does. The clients share this
// process with the bot, so that "stops reading" is one call, and what waits then waits in the
// kernel first: updates are large to fill that soon.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { OPCODE, openSession, textFrame } = require('./support/raw');
const { FORMS, startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const PAD = 'x'.repeat(60_000);

/** More than the kernel takes for one socket that nobody reads, by far. */
const AT_MOST = 2_000;

/** Everything past the first kilobyte is a backlog here; nothing is about rates. */
const OPTIONS = {
  maxBufferedBytes: 1_000,
  slowTimeout: 600_000,
  pingInterval: 600_000,
  messageRate: 10_000_000,
  messageBurst: 10_000_000,
};

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
 * A member of the rooms that has stopped reading, after the kernel has stopped taking anything for
 * it, and a witness that has read every update: `broadcast` waits for that. `seq` is the first
 * room's at this point.
 */
async function stall(t, form, { rooms = [1], ...options } = {}) {
  const server = await startServer(t, { form, ...OPTIONS, ...options });
  const { hub } = server;
  const slow = [];
  hub.on('slow', client => {
    if (client.userId === 'raw') slow.push(client);
  });
  const witness = await connect(server, { userId: 'witness' });
  const raw = await openSession(server);
  for (const roomId of rooms) {
    await witness.join(roomId);
    raw.write(textFrame({ action: 'JOIN_ROOM', roomId }));
    await raw.nextText();
  }
  raw.socket.pause();

  async function broadcast(roomId, update) {
    assert.equal(hub.broadcastRoomUpdate(roomId, update), true);
    return witness.nextMessage();
  }
  // While the kernel still takes some of it now and then, not every update is conflated.
  let seq;
  let inSuccession = 0;
  for (let count = 0; inSuccession < 10; count += 1) {
    assert.ok(count < AT_MOST, 'never slow');
    const before = hub.getStats().conflatedTotal;
    ({ seq } = await broadcast(rooms[0], { event: 'FILL', pad: PAD }));
    inSuccession = hub.getStats().conflatedTotal > before ? inSuccession + 1 : 0;
  }
  await until(() => slow.length > 0, 'the event slow');
  return { server, hub, witness, raw, slow, broadcast, seq };
}

/**
 * Reads on until an update with that seq of that room is here; all updates, in order of arrival.
 */
async function readOn(raw, { roomId, seq }) {
  raw.socket.resume();
  const isLast = message => message.roomId === roomId && message.seq === seq;
  await until(() => messagesOf(raw).some(isLast), `update ${seq} of room ${roomId}`);
  return messagesOf(raw).filter(({ type }) => type === 'ROOM_UPDATE');
}

for (const form of FORMS) {
  describe(`a client that stops reading, ${form}`, () => {
    it('finds the newest update and the newest counts, in their order, when it reads on', async t => {
      const { hub, raw, slow, seq, witness, broadcast } = await stall(t, form);
      const episodes = slow.length;
      await broadcast(1, { event: 'A', currentParticipants: 1, maxParticipants: 9 });
      // Three at once, so that they are looked at together.
      hub.broadcastRoomUpdate(1, 'B', 3, 9, 'join');
      hub.broadcastParticipantCount(1, 2, 9);
      hub.broadcastRoomUpdate(1, { event: 'C' });
      const [, counts] = (await witness.take(3)).map(text => JSON.parse(text));
      for (let more = 0; more < 5; more += 1) await broadcast(1, { event: 'FILL', pad: PAD });
      const newest = await broadcast(1, { event: 'Z' });
      assert.equal(hub.getStats().slowClients, 1);

      const updates = await readOn(raw, newest);
      assert.deepEqual(updates.slice(-2), [counts, newest]);
      assert.ok(updates.at(-3).seq <= seq, 'all others since then are gone');
      await until(() => hub.getStats().slowClients === 0, 'no slow client');
      await until(() => hub.getStats().bufferedBytes === 0, 'an empty backlog');
      const next = await broadcast(1, { event: 'NEXT' });
      assert.equal(next.seq, newest.seq + 1);
      assert.deepEqual((await readOn(raw, next)).at(-1), next);
      assert.equal(slow.length, episodes);
    });

    it('finds one update where the newest is the one with counts', async t => {
      const { hub, raw, seq, witness, broadcast } = await stall(t, form);
      for (let more = 0; more < 3; more += 1) await broadcast(1, { event: 'FILL', pad: PAD });
      hub.broadcastRoomUpdate(1, 'A', 3, 9, 'join');
      const newest = await witness.nextMessage();
      const updates = await readOn(raw, newest);
      assert.deepEqual(updates.at(-1), newest);
      assert.ok(updates.at(-2).seq <= seq, 'all others since then are gone');
    });

    it('finds the newest of each of its rooms', async t => {
      const { raw, broadcast } = await stall(t, form, { rooms: [1, 2, 3] });
      const counts = number => ({ currentParticipants: number, maxParticipants: 9 });
      await broadcast(2, { event: 'B', ...counts(1) });
      const two = await broadcast(2, { event: 'B', ...counts(2) });
      const three = await broadcast(3, { event: 'C', ...counts(3) });
      for (let more = 0; more < 3; more += 1) await broadcast(1, { event: 'FILL', pad: PAD });
      const threeToo = await broadcast(3, { event: 'D' });
      const one = await broadcast(1, { event: 'E' });
      const updates = await readOn(raw, one);
      const tail = updates.slice(
        updates.findIndex(({ roomId, seq }) => roomId === 2 && seq === two.seq),
      );
      assert.deepEqual(tail, [two, three, threeToo, one]);
    });

    it('keeps every answer to its own messages', async t => {
      const { hub, raw, broadcast } = await stall(t, form);
      const asked = 500;
      for (let number = 0; number < asked; number += 1) {
        raw.write(textFrame({ action: 'GET_ROOM_STATUS', roomId: number }));
        if (number % 100 === 0) await broadcast(1, { event: 'FILL', pad: PAD });
      }
      const newest = await broadcast(1, { event: 'Z' });
      await readOn(raw, newest);
      const answers = () => messagesOf(raw).filter(({ type }) => type === 'ROOM_STATUS');
      await until(
        () => answers().length === asked,
        () => `${asked} answers: ${answers().length}`,
      );
      assert.deepEqual(
        answers().map(({ roomId }) => roomId),
        Array.from({ length: asked }, (_, number) => number),
      );
      assert.equal(hub.getClientCount(1), 2);
    });

    it('is not read from where it asks and does not read the answers', async t => {
      const server = await startServer(t, { form, ...OPTIONS });
      const raw = await openSession(server);
      raw.socket.pause();
      const roomId = 'r'.repeat(120);
      const ask = textFrame({ action: 'GET_ROOM_STATUS', roomId });
      const block = Buffer.concat(Array.from({ length: 100 }, () => ask));
      // 26 MB, which is more than the kernel's buffers take in both directions.
      const blocks = 1_500;
      let written = 0;
      for (let number = 0; number < blocks; number += 1) {
        raw.socket.write(block, () => {
          written += 1;
        });
      }
      // Bytes go until nothing moves any more; the backlog of the answers is bounded all the while.
      let last = -1;
      await until(async () => {
        assert.ok(server.hub.getStats().bufferedBytes < 1024 * 1024);
        const { bytesWritten } = raw.socket;
        const still = bytesWritten - raw.socket.writableLength === last && last > 0;
        last = bytesWritten - raw.socket.writableLength;
        await new Promise(resolve => setTimeout(resolve, 50));
        return still;
      }, 'a standstill');
      assert.ok(written < blocks, 'everything was read from a client that does not read');
      raw.socket.resume();
      const total = blocks * 100;
      await until(
        () => raw.frames.length === total + 1,
        () => `${total} answers: ${raw.frames.length - 1}`,
      );
      assert.ok(raw.frames.slice(1).every(({ payload }) => payload.includes('"ROOM_STATUS"')));
    });

    it('gets nothing more of a room that it is removed from', async t => {
      const { hub, raw, broadcast } = await stall(t, form, { rooms: [1, 2] });
      const newest = await broadcast(1, { event: 'Z', currentParticipants: 1, maxParticipants: 9 });
      assert.equal(hub.removeFromRoom('raw', 1), 1);
      const after = await broadcast(1, { event: 'AFTER' });
      const other = await broadcast(2, { event: 'OTHER' });
      await readOn(raw, other);
      const messages = messagesOf(raw).filter(({ roomId }) => roomId === 1);
      const left = messages.findIndex(({ type }) => type === 'ROOM_LEFT');
      assert.ok(left > 0);
      assert.equal(messages.length, left + 1, 'something of the room behind ROOM_LEFT');
      assert.ok(
        messages.every(({ seq }) => seq === undefined || seq < newest.seq),
        'it was not discarded',
      );
      assert.ok(after.seq > newest.seq);
    });

    it('hurts nobody else', async t => {
      const { server, broadcast } = await stall(t, form);
      const other = await connect(server, { userId: 'other' });
      await other.join(1);
      await other.settle();
      for (let number = 0; number < 10; number += 1) {
        const update = await broadcast(1, { event: 'FILL', pad: PAD });
        assert.deepEqual(await other.nextMessage(), update);
      }
    });

    it('is closed with 1013 after slowTimeout', async t => {
      const { hub, raw } = await stall(t, form, { slowTimeout: 200, closeTimeout: 200 });
      const [client, code, reason] = await nextEvent(hub, 'disconnect');
      assert.equal(client.userId, 'raw');
      assert.deepEqual([code, reason], [1013, 'Slow consumer']);
      assert.equal(hub.getClientCount(1), 1);
      raw.socket.resume();
      await raw.closed;
      const closes = messagesOf(raw).filter(({ close }) => close !== undefined);
      assert.ok(closes.every(({ close }) => close === 1013));
    });
  });

  describe(`a client that reads too slowly, ${form}`, () => {
    it("gets a Close frame with 1013 'Slow consumer'", async t => {
      // It takes a little at a time, and there are so many rooms whose newest update waits for it
      // that its backlog is never empty, whatever the kernel takes at once.
      const rooms = Array.from({ length: 50 }, (_, number) => number);
      const { raw, broadcast } = await stall(t, form, { rooms, slowTimeout: 1_000 });
      for (const roomId of rooms) await broadcast(roomId, { event: 'FILL', pad: PAD });
      raw.socket.on('data', () => raw.socket.pause());
      const isClose = ({ opcode }) => opcode === OPCODE.close;
      for (let count = 0; !raw.frames.some(isClose); count += 1) {
        assert.ok(count < 20_000, 'never closed');
        if (count % 4 === 0) raw.socket.resume();
        await broadcast(rooms[count % rooms.length], { event: 'FILL', pad: PAD });
      }
      const { payload } = raw.frames.find(isClose);
      assert.equal(payload.readUInt16BE(), 1013);
      assert.equal(payload.toString('utf8', 2), 'Slow consumer');
    });
  });
}
