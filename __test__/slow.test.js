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
const { until } = require('./support/wait');

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

const FILL = { event: 'FILL', pad: PAD };

const QUIET_MS = 200;

/** The rooms that the tests are about. */
const ROOMS = [1, 2, 3];

/**
 * A member of ROOMS that has stopped reading, and a witness that has read every update: `broadcast`
 * waits for that. It is a member of the `fillers` too, whose updates have filled the kernel's
 * buffers and then the front of the backlog: what the kernel comes to take after all is of these.
 */
async function stall(t, form, { fillers = 10, ...options } = {}) {
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
  // Whether the update before the last one still waited, and so gave way to it.
  async function isStuck(update) {
    const before = hub.getStats().conflatedTotal;
    await broadcast(filling[0], update);
    return hub.getStats().conflatedTotal > before;
  }
  // The kernel takes more after a while (delayed acknowledgements, RFC 1122 §4.2.3.2): it has to
  // have taken nothing for some time.
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
  return { server, hub, witness, raw, slow, broadcast, filling };
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

/**
 * What was read is the newest of what was sent, in order, with all of `kept` in it; and not all, as
 * what the kernel took meanwhile may be in between.
 */
function assertConflated(read, sent, kept) {
  assert.deepEqual(
    read.filter(one => kept.some(({ roomId, seq }) => one.roomId === roomId && one.seq === seq)),
    kept,
  );
  assert.deepEqual(read.at(-1), kept.at(-1));
  assert.ok(read.length < sent, `${read.length} of ${sent}`);
}

for (const form of FORMS) {
  describe(`a client that stops reading, ${form}`, () => {
    it('finds the newest update and the newest counts, in their order, when it reads on', async t => {
      const { hub, raw, slow, witness, broadcast } = await stall(t, form);
      const episodes = slow.length;
      await broadcast(1, { event: 'A', currentParticipants: 1, maxParticipants: 9 });
      // Three at once, so that they are looked at together.
      hub.broadcastRoomUpdate(1, 'B', 3, 9, 'join');
      hub.broadcastParticipantCount(1, 2, 9);
      hub.broadcastRoomUpdate(1, { event: 'C' });
      const [, counts] = (await witness.take(3)).map(text => JSON.parse(text));
      for (let more = 0; more < 5; more += 1) await broadcast(1, FILL);
      const newest = await broadcast(1, { event: 'Z' });
      assert.equal(hub.getStats().slowClients, 1);

      assertConflated(await readOn(raw, newest), 10, [counts, newest]);
      await until(() => hub.getStats().slowClients === 0, 'no slow client');
      await until(() => hub.getStats().bufferedBytes === 0, 'an empty backlog');
      const next = await broadcast(1, { event: 'NEXT' });
      assert.deepEqual((await readOn(raw, next)).slice(-2), [newest, next]);
      assert.equal(slow.length, episodes);
    });

    it('finds one update where the newest is the one with counts', async t => {
      const { hub, raw, witness, broadcast } = await stall(t, form);
      for (let more = 0; more < 3; more += 1) await broadcast(1, FILL);
      hub.broadcastRoomUpdate(1, 'A', 3, 9, 'join');
      const newest = await witness.nextMessage();
      assertConflated(await readOn(raw, newest), 4, [newest]);
    });

    it('finds the newest of each of its rooms', async t => {
      const { raw, broadcast } = await stall(t, form);
      const counts = number => ({ currentParticipants: number, maxParticipants: 9 });
      await broadcast(2, { event: 'B', ...counts(1) });
      const two = await broadcast(2, { event: 'B', ...counts(2) });
      const three = await broadcast(3, { event: 'C', ...counts(3) });
      for (let more = 0; more < 3; more += 1) await broadcast(1, FILL);
      const threeToo = await broadcast(3, { event: 'D' });
      const one = await broadcast(1, { event: 'E' });
      assertConflated(await readOn(raw, one), 8, [two, three, threeToo, one]);
    });

    it('keeps every answer to its own messages', async t => {
      const { hub, raw, broadcast } = await stall(t, form);
      const asked = 500;
      for (let number = 0; number < asked; number += 1) {
        raw.write(textFrame({ action: 'GET_ROOM_STATUS', roomId: number }));
        if (number % 100 === 0) await broadcast(1, FILL);
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
      const { hub, raw, broadcast } = await stall(t, form);
      await broadcast(1, { event: 'A', currentParticipants: 1, maxParticipants: 9 });
      await broadcast(1, { event: 'B' });
      assert.equal(hub.removeFromRoom('raw', 1), 1);
      await broadcast(1, { event: 'AFTER' });
      const other = await broadcast(2, { event: 'OTHER' });
      await readOn(raw, other);
      const ofRoom = messagesOf(raw).filter(({ roomId }) => roomId === 1);
      assert.deepEqual(
        ofRoom.map(({ type }) => type),
        ['ROOM_JOINED', 'ROOM_LEFT'],
      );
    });

    it('hurts nobody else', async t => {
      const { server, broadcast } = await stall(t, form);
      const other = await connect(server, { userId: 'other' });
      await other.join(1);
      await other.settle();
      for (let number = 0; number < 10; number += 1) {
        const update = await broadcast(1, FILL);
        assert.deepEqual(await other.nextMessage(), update);
      }
    });

    it('is closed with 1013 after slowTimeout', async t => {
      const options = { ...OPTIONS, slowTimeout: 200, closeTimeout: 200 };
      const server = await startServer(t, { form, ...options });
      const witness = await connect(server, { userId: 'witness' });
      const raw = await openSession(server);
      await witness.join(1);
      raw.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
      await raw.nextText();
      raw.socket.pause();
      let end;
      server.hub.on('disconnect', (client, code, reason) => {
        end = { userId: client.userId, code, reason };
      });
      while (end === undefined) {
        server.hub.broadcastRoomUpdate(1, FILL);
        await witness.next();
      }
      assert.deepEqual(end, { userId: 'raw', code: 1013, reason: 'Slow consumer' });
      assert.equal(server.hub.getClientCount(1), 1);
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
      const { raw, broadcast, filling } = await stall(t, form, { fillers: 50, slowTimeout: 1_000 });
      raw.socket.on('data', () => raw.socket.pause());
      const isClose = ({ opcode }) => opcode === OPCODE.close;
      for (let count = 0; !raw.frames.some(isClose); count += 1) {
        assert.ok(count < 20_000, 'never closed');
        if (count % 4 === 0) raw.socket.resume();
        await broadcast(filling[count % filling.length], FILL);
      }
      const { payload } = raw.frames.find(isClose);
      assert.equal(payload.readUInt16BE(), 1013);
      assert.equal(payload.toString('utf8', 2), 'Slow consumer');
    });
  });
}
