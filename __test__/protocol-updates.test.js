'use strict';

// Every event of a ROOM_UPDATE over a real socket, byte for byte.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { counts, update } = require('./support/messages');
const { FORMS, startServer } = require('./support/server');
const { assertText } = require('./support/text');

for (const form of FORMS) {
  describe(`server to client, ${form}`, () => {
    /** A member of room 1, and the seq that its stream starts from. */
    async function member(t) {
      const server = await startServer(t, { form });
      const client = await connect(server, { userId: 'u' });
      const { seq } = await client.join(1);
      return { client, seq, hub: server.hub };
    }

    it('USER_JOINED and USER_LEFT', async t => {
      const { client, seq, hub } = await member(t);
      hub.broadcastRoomUpdate(1, 'John Doe', 25, 50, 'join');
      hub.broadcastRoomUpdate(1, 'John Doe', 24, 50, 'leave');
      hub.notifyParticipantJoin(1, 'Zoë "Z" \\ 🎉\n', 50, 50);
      hub.notifyParticipantLeave(1, null, 0, 0);
      const fields = (event, name, state) =>
        `"event":"${event}","participantName":${JSON.stringify(name)},${state}`;
      assertText(
        await client.next(),
        update(1, fields('USER_JOINED', 'John Doe', counts(25, 50)), seq + 1),
      );
      assertText(
        await client.next(),
        update(1, fields('USER_LEFT', 'John Doe', counts(24, 50)), seq + 2),
      );
      const name = 'Zoë "Z" \\ 🎉\n';
      assertText(
        await client.next(),
        update(1, fields('USER_JOINED', name, counts(50, 50, true)), seq + 3),
      );
      assertText(
        await client.next(),
        update(1, fields('USER_LEFT', 'User', counts(0, 0, true)), seq + 4),
      );
    });

    it('ROOM_STATUS_CHANGED, full by its status and not by its counts', async t => {
      const { client, seq, hub } = await member(t);
      hub.notifyRoomStatusChange(1, 'FULL', 3, 5);
      hub.notifyRoomStatusChange(1, 'AVAILABLE', 5, 5);
      hub.notifyRoomStatusChange(1, 'OFFLINE', 0, 5);
      const fields = (name, state) => `"event":"ROOM_STATUS_CHANGED","status":"${name}",${state}`;
      assertText(await client.next(), update(1, fields('FULL', counts(3, 5, true)), seq + 1));
      assertText(await client.next(), update(1, fields('AVAILABLE', counts(5, 5, false)), seq + 2));
      assertText(await client.next(), update(1, fields('OFFLINE', counts(0, 5, false)), seq + 3));
    });

    it('PARTICIPANT_COUNT_UPDATED, with no slot below zero', async t => {
      const { client, seq, hub } = await member(t);
      hub.broadcastParticipantCount(1, 1, 3);
      hub.broadcastParticipantCount(1, 4, 3);
      const fields = state => `"event":"PARTICIPANT_COUNT_UPDATED",${state}`;
      assertText(await client.next(), update(1, fields(counts(1, 3)), seq + 1));
      const over = '"currentParticipants":4,"maxParticipants":3,"isFull":true,"availableSlots":0';
      assertText(await client.next(), update(1, fields(over), seq + 2));
    });

    it("any other event with the bot's own fields, then timestamp and seq", async t => {
      const { client, seq, hub } = await member(t);
      hub.broadcastRoomUpdate(1, {
        event: 'POLL_OPENED',
        question: 'Où "?"',
        options: [1, { a: null }],
        open: true,
      });
      hub.broadcastRoomUpdate(1, { event: 'BELL' });
      assertText(
        await client.next(),
        update(
          1,
          '"event":"POLL_OPENED","question":"Où \\"?\\"","options":[1,{"a":null}],"open":true',
          seq + 1,
        ),
      );
      assertText(await client.next(), update(1, '"event":"BELL"', seq + 2));
    });

    it('numbers updates of every kind with one counter', async t => {
      const { client, seq, hub } = await member(t);
      hub.broadcastRoomUpdate(1, 'A', 1, 9, 'join');
      hub.broadcastRoomUpdate(1, { event: 'X' });
      hub.notifyRoomStatusChange(1, 'AVAILABLE', 1, 9);
      hub.broadcastParticipantCount(1, 1, 9);
      const seqs = (await client.take(4)).map(text => JSON.parse(text).seq);
      assert.deepEqual(seqs, [seq + 1, seq + 2, seq + 3, seq + 4]);
    });

    it('only to the members of the room', async t => {
      const { client, hub } = await member(t);
      hub.broadcastParticipantCount(2, 1, 3);
      hub.broadcastParticipantCount('lobby', 1, 3);
      hub.broadcastParticipantCount(1, 1, 3);
      assert.equal((await client.nextMessage()).roomId, 1);
      await client.join('own');
      await client.ask({ action: 'LEAVE_ROOM', roomId: 1 });
      hub.broadcastParticipantCount(1, 2, 3);
      hub.broadcastParticipantCount('own', 1, 3);
      assert.equal((await client.nextMessage()).roomId, 'own');
      assert.deepEqual(await client.settle(), []);
    });

    it('to one client in many rooms', async t => {
      const { client, hub } = await member(t);
      const { seq } = await client.join('two');
      hub.broadcastParticipantCount('two', 1, 3);
      assertText(
        await client.next(),
        update('two', `"event":"PARTICIPANT_COUNT_UPDATED",${counts(1, 3)}`, seq + 1),
      );
    });
  });
}
