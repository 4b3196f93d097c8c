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
const { FILL, OPTIONS, messagesOf, readOn, stall, startMember } = require('./support/slow-member');
const { until } = require('./support/wait');

/**
 * What was read has all of `kept` in it, in their order, and ends with the last of them. What the
 * kernel took meanwhile may be in between; of the updates of all rooms, each has been read or has
 * been conflated.
 */
function assertConflated({ hub, raw }, read, kept) {
  assert.deepEqual(
    read.filter(one => kept.some(({ roomId, seq }) => one.roomId === roomId && one.seq === seq)),
    kept,
  );
  assert.deepEqual(read.at(-1), kept.at(-1));
  const { updatesTotal, conflatedTotal } = hub.getStats();
  const all = messagesOf(raw).filter(({ type }) => type === 'ROOM_UPDATE');
  assert.equal(all.length, updatesTotal - conflatedTotal);
}

for (const form of FORMS) {
  describe(`a client that stops reading, ${form}`, () => {
    it('finds the newest update and the newest counts, in their order, when it reads on', async t => {
      const member = await stall(t, form);
      const { hub, raw, slow, witness, broadcast } = member;
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

      assertConflated(member, await readOn(raw, newest), [counts, newest]);
      await until(() => hub.getStats().slowClients === 0, 'no slow client');
      await until(() => hub.getStats().bufferedBytes === 0, 'an empty backlog');
      const next = await broadcast(1, { event: 'NEXT' });
      assert.deepEqual((await readOn(raw, next)).slice(-2), [newest, next]);
      assert.equal(slow.length, episodes);
    });

    it('finds one update where the newest is the one with counts', async t => {
      const member = await stall(t, form);
      const { hub, raw, witness, broadcast } = member;
      for (let more = 0; more < 3; more += 1) await broadcast(1, FILL);
      hub.broadcastRoomUpdate(1, 'A', 3, 9, 'join');
      const newest = await witness.nextMessage();
      assertConflated(member, await readOn(raw, newest), [newest]);
    });

    it('finds the newest of each of its rooms', async t => {
      // The order between rooms is that of one thread: several may take two rooms' updates together.
      const member = await stall(t, form, { threads: 1 });
      const { raw, broadcast } = member;
      const counts = number => ({ currentParticipants: number, maxParticipants: 9 });
      await broadcast(2, { event: 'B', ...counts(1) });
      const two = await broadcast(2, { event: 'B', ...counts(2) });
      const three = await broadcast(3, { event: 'C', ...counts(3) });
      for (let more = 0; more < 3; more += 1) await broadcast(1, FILL);
      const threeToo = await broadcast(3, { event: 'D' });
      const one = await broadcast(1, { event: 'E' });
      assertConflated(member, await readOn(raw, one), [two, three, threeToo, one]);
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
      // The answers are 29 MB, which is more than the kernel takes of them.
      const total = 150_000;
      for (let sent = 0; sent < total; sent += 100) raw.write(block);
      const asked = () => {
        const line = /^roomcast_messages_received_total\{action="GET_ROOM_STATUS"\} (\d+)$/m;
        return Number(line.exec(server.hub.metrics())?.[1] ?? 0);
      };
      // They are read until nothing moves any more; the backlog is bounded all the while.
      let last = 0;
      await until(async () => {
        assert.ok(server.hub.getStats().bufferedBytes < 1024 * 1024);
        const before = last;
        last = asked();
        await new Promise(resolve => setTimeout(resolve, 50));
        return last > 0 && last === before;
      }, 'a standstill');
      assert.ok(last < total, 'everything was read from a client that does not read');
      raw.socket.resume();
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
      const options = { slowTimeout: 200, closeTimeout: 200, fillers: 1 };
      const { hub, raw, broadcast, filling } = await startMember(t, form, options);
      let end;
      hub.on('disconnect', ({ userId }, code, reason) => {
        end = { userId, code, reason };
      });
      while (end === undefined) await broadcast(filling[0], FILL);
      assert.deepEqual(end, { userId: 'raw', code: 1013, reason: 'Slow consumer' });
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
      const options = { slowTimeout: 500, fillers: 50 };
      const { raw, broadcast, filling } = await startMember(t, form, options);
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
