'use strict';

// A page that was in many rooms comes back: what it missed is more than `maxBufferedBytes` all
// together, and it asks for all of it in one breath. It reads, so it is no slow client.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { OPCODE, openSession, textFrame } = require('./support/raw');
const { startServer } = require('./support/server');
const { until } = require('./support/wait');

const HISTORY = 64;
const ROOMS = Array.from({ length: 20 }, (_, index) => index + 1);

/** Joins all rooms in one write, each where it was before the updates. Resolves with all that comes. */
async function comeBack(server, places, expected) {
  const raw = await openSession(server);
  const joins = places.map(({ roomId, seq, epoch }) =>
    textFrame({ action: 'JOIN_ROOM', roomId, lastSeq: seq, epoch }),
  );
  raw.write(Buffer.concat(joins));
  const messages = () => raw.frames.slice(1).filter(({ opcode }) => opcode === OPCODE.text);
  // As many as there are, or what there is once nothing can come any more.
  await until(
    () => messages().length === expected || server.hub.getStats().conflatedTotal > 0,
    () => `${expected} messages: ${messages().length}`,
  );
  return messages().map(({ payload }) => JSON.parse(payload));
}

// Where TLS lies between, what Node has not encrypted yet counts, and no write empties that at once.
for (const form of ['http', 'standalone']) {
  describe(`what was missed, ${form}`, () => {
    it('of many rooms arrives whole', async t => {
      const server = await startServer(t, { form, history: HISTORY });
      const { hub } = server;
      for (const roomId of ROOMS) hub.broadcastParticipantCount(roomId, 0, 9);
      const places = ROOMS.map(roomId => hub.getRoomState(roomId));
      for (let count = 1; count <= HISTORY; count += 1) {
        for (const roomId of ROOMS)
          hub.broadcastRoomUpdate(roomId, 'Ada Lovelace', count, 99, 'join');
      }
      const messages = await comeBack(server, places, ROOMS.length * (HISTORY + 1));
      assert.equal(hub.getStats().conflatedTotal, 0);
      for (const { roomId, seq } of places) {
        const [joined, ...updates] = messages.filter(message => message.roomId === roomId);
        assert.deepEqual([joined.type, joined.recovered, joined.seq], ['ROOM_JOINED', true, seq]);
        assert.deepEqual(
          updates.map(update => update.seq),
          Array.from({ length: HISTORY }, (_, index) => seq + 1 + index),
        );
      }
    });

    it('of one room arrives whole though it is large', async t => {
      const server = await startServer(t, { form });
      const { hub } = server;
      hub.broadcastParticipantCount(1, 0, 9);
      const place = hub.getRoomState(1);
      for (let count = 0; count < 5; count += 1) {
        hub.broadcastRoomUpdate(1, { event: 'LARGE', pad: 'x'.repeat(60_000) });
      }
      const [joined, ...updates] = await comeBack(server, [place], 6);
      assert.equal(joined.recovered, true);
      assert.deepEqual(
        updates.map(({ seq }) => seq - place.seq),
        [1, 2, 3, 4, 5],
      );
      assert.equal(hub.getStats().conflatedTotal, 0);
    });
  });
}
