'use strict';

// What a client is owed that comes back with the `lastSeq` and `epoch` it saw last.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { FORMS, startServer } = require('./support/server');
const { assertText } = require('./support/text');
const { until } = require('./support/wait');

const ROOM = 1;

const joined = (seq, recovered) =>
  `{"type":"ROOM_JOINED","roomId":1,"userId":"user","timestamp":"<timestamp>","message":"Joined room 1",` +
  `"seq":${seq},"epoch":"<epoch>"${recovered === undefined ? '' : `,"recovered":${recovered}`}}`;

const snapshot = (current, max, seq) =>
  `{"type":"ROOM_UPDATE","roomId":1,"event":"PARTICIPANT_COUNT_UPDATED","currentParticipants":${current},` +
  `"maxParticipants":${max},"isFull":${current >= max},"availableSlots":${max - current},` +
  `"timestamp":"<timestamp>","seq":${seq},"epoch":"<epoch>"}`;

/**
 * A room whose counter stands `missed` updates after what a client saw that has gone: `lastSeq` and
 * `epoch` are what that client knows, `witness` has stayed and `texts` are the missed updates as it
 * received them.
 */
async function gone(t, missed, options = {}) {
  const server = await startServer(t, options);
  const { hub } = server;
  const witness = await connect(server, { userId: 'witness' });
  const leaver = await connect(server);
  await witness.join(ROOM);
  const { epoch } = await leaver.join(ROOM);
  for (let count = 1; count <= 3; count += 1) hub.broadcastParticipantCount(ROOM, count, 100);
  const lastSeq = JSON.parse((await leaver.take(3)).at(-1)).seq;
  await leaver.close();
  await witness.take(3);
  for (let count = 1; count <= missed; count += 1)
    hub.broadcastRoomUpdate(ROOM, `P${count}`, 10 + count, 100, 'join');
  const texts = await witness.take(missed);
  return { server, hub, witness, lastSeq, epoch, texts };
}

/**
 * Comes back on a new connection with these fields in JOIN_ROOM; the text of ROOM_JOINED and of all
 * that follows.
 */
async function comeBack(server, fields) {
  const client = await connect(server);
  const answer = await client.ask({ action: 'JOIN_ROOM', roomId: ROOM, ...fields });
  return { client, answer, following: await client.settle() };
}

for (const form of FORMS) {
  describe(`recovery, ${form}`, () => {
    it('sends the missed updates, byte for byte as the others got them', async t => {
      const { server, hub, lastSeq, epoch, texts } = await gone(t, 5, { form });
      const { client, answer, following } = await comeBack(server, { lastSeq, epoch });
      const found = assertText(answer, joined(lastSeq, true));
      assert.equal(found.epoch, epoch);
      assert.deepEqual(following, texts);
      hub.broadcastParticipantCount(ROOM, 1, 100);
      assert.equal((await client.nextMessage()).seq, lastSeq + 6);
    });

    it('sends nothing where nothing was missed', async t => {
      const { server, lastSeq, epoch } = await gone(t, 0, { form });
      const { answer, following } = await comeBack(server, { lastSeq, epoch });
      assert.equal(assertText(answer, joined(lastSeq, true)).epoch, epoch);
      assert.deepEqual(following, []);
    });

    it('sends a snapshot where the history is too short', async t => {
      const { server, lastSeq, epoch } = await gone(t, 5, { form, history: 4 });
      const { answer, following } = await comeBack(server, { lastSeq, epoch });
      assert.equal(assertText(answer, joined(lastSeq + 5, false)).epoch, epoch);
      assert.equal(following.length, 1);
      assert.equal(assertText(following[0], snapshot(15, 100, lastSeq + 5)).epoch, epoch);
    });

    it('sends a snapshot where the epoch is another', async t => {
      const { server, lastSeq, epoch } = await gone(t, 2, { form });
      const { answer, following } = await comeBack(server, { lastSeq, epoch: `${epoch}x` });
      assert.equal(assertText(answer, joined(lastSeq + 2, false)).epoch, epoch);
      assert.equal(following.length, 1);
      assertText(following[0], snapshot(12, 100, lastSeq + 2));
    });

    it('sends a snapshot where lastSeq is beyond the counter', async t => {
      const { server, lastSeq, epoch } = await gone(t, 2, { form });
      const { answer, following } = await comeBack(server, { lastSeq: lastSeq + 3, epoch });
      assertText(answer, joined(lastSeq + 2, false));
      assert.equal(following.length, 1);
      assertText(following[0], snapshot(12, 100, lastSeq + 2));
    });

    it('sends a snapshot after a plain join, and none for a room without a state', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server);
      const { seq } = assertText(
        await client.ask({ action: 'JOIN_ROOM', roomId: ROOM }),
        joined('<seq>'),
      );
      assert.deepEqual(await client.settle(), []);
      server.hub.broadcastParticipantCount(ROOM, 7, 10);
      const { answer, following } = await comeBack(server, {});
      const { epoch } = assertText(answer, joined(seq + 1));
      assert.equal(following.length, 1);
      assert.equal(assertText(following[0], snapshot(7, 10, seq + 1)).epoch, epoch);
    });

    it('leaves `recovered` out where the request lacks lastSeq or epoch', async t => {
      const { server, lastSeq, epoch } = await gone(t, 2, { form });
      for (const fields of [{}, { lastSeq }, { epoch }]) {
        const { answer, following } = await comeBack(server, fields);
        assertText(answer, joined(lastSeq + 2));
        assert.equal(following.length, 1);
        assertText(following[0], snapshot(12, 100, lastSeq + 2));
      }
    });

    it('never replays to a member that joins again', async t => {
      const { server, hub, lastSeq, epoch } = await gone(t, 2, { form });
      const { client } = await comeBack(server, { lastSeq, epoch });
      const again = await client.ask({ action: 'JOIN_ROOM', roomId: ROOM, lastSeq, epoch });
      assertText(again, joined(lastSeq + 2, false));
      const following = await client.settle();
      assert.equal(following.length, 1);
      assertText(following[0], snapshot(12, 100, lastSeq + 2));
      hub.broadcastParticipantCount(ROOM, 1, 100);
      assert.equal((await client.nextMessage()).seq, lastSeq + 3);
      assert.deepEqual(await client.settle(), []);
    });

    it('announces the epoch of a forgotten room to the members who stayed', async t => {
      const { server, hub, witness, lastSeq, epoch } = await gone(t, 1, { form });
      hub.forgetRoom(ROOM);
      assert.equal(hub.getRoomState(ROOM), undefined);
      hub.broadcastParticipantCount(ROOM, 1, 4);
      hub.broadcastParticipantCount(ROOM, 2, 4);
      const [first, second] = await witness.take(2);
      const counts = n =>
        `"currentParticipants":${n},"maxParticipants":4,"isFull":false,"availableSlots":${4 - n},"timestamp":"<timestamp>"`;
      const start = '{"type":"ROOM_UPDATE","roomId":1,"event":"PARTICIPANT_COUNT_UPDATED"';
      const announced = assertText(first, `${start},${counts(1)},"seq":<seq>,"epoch":"<epoch>"}`);
      assert.notEqual(announced.epoch, epoch);
      assertText(second, `${start},${counts(2)},"seq":${announced.seq + 1}}`);

      const { answer, following } = await comeBack(server, { lastSeq, epoch });
      assert.equal(assertText(answer, joined(announced.seq + 1, false)).epoch, announced.epoch);
      assert.equal(following.length, 1);
      const renewed = await comeBack(server, { lastSeq: announced.seq, epoch: announced.epoch });
      assertText(renewed.answer, joined(announced.seq, true));
      assert.deepEqual(renewed.following, [second]);
    });
  });
}

describe('the history', () => {
  it('holds as many updates as `history` says', async t => {
    const { server, lastSeq, epoch, texts } = await gone(t, 4, { history: 4 });
    const { answer, following } = await comeBack(server, { lastSeq, epoch });
    assertText(answer, joined(lastSeq, true));
    assert.deepEqual(following, texts);
  });

  it('holds updates of every kind', async t => {
    const { server, hub, witness, lastSeq, epoch } = await gone(t, 0);
    hub.broadcastRoomUpdate(ROOM, 'A', 1, 2, 'leave');
    hub.notifyRoomStatusChange(ROOM, 'OFFLINE', 1, 2);
    hub.broadcastRoomUpdate(ROOM, { event: 'BELL', loud: true });
    hub.broadcastParticipantCount(ROOM, 2, 2);
    const texts = await witness.take(4);
    const { following } = await comeBack(server, { lastSeq, epoch });
    assert.deepEqual(following, texts);
  });

  it('serves a client that left the room and joins again on the same connection', async t => {
    const { hub, witness } = await gone(t, 0);
    await witness.ask({ action: 'LEAVE_ROOM', roomId: ROOM });
    const { seq, epoch } = hub.getRoomState(ROOM);
    hub.broadcastParticipantCount(ROOM, 50, 100);
    const back = await witness.join(ROOM, { lastSeq: seq, epoch });
    assert.equal(back.recovered, true);
    assert.equal(back.seq, seq);
    const missed = await witness.settle();
    assert.equal(missed.length, 1);
    assert.equal(JSON.parse(missed[0]).seq, seq + 1);
  });

  it('is of one room only', async t => {
    const { server, hub, lastSeq, epoch } = await gone(t, 1);
    for (let count = 0; count < 200; count += 1) hub.broadcastParticipantCount('other', count, 500);
    const { answer, following } = await comeBack(server, { lastSeq, epoch });
    assertText(answer, joined(lastSeq, true));
    assert.equal(following.length, 1);
  });
});

describe('the state that a snapshot shows', () => {
  /** The one snapshot that a newcomer gets, parsed. */
  async function newcomerSees(server) {
    const { following } = await comeBack(server, {});
    assert.equal(following.length, 1);
    return JSON.parse(following[0]);
  }

  it('is the counts of the newest update that had any, and the current seq', async t => {
    const server = await startServer(t);
    server.hub.broadcastRoomUpdate(ROOM, 'A', 3, 8, 'join');
    server.hub.broadcastRoomUpdate(ROOM, { event: 'BELL' });
    const seen = await newcomerSees(server);
    assert.equal(seen.currentParticipants, 3);
    assert.equal(seen.maxParticipants, 8);
    assert.equal(seen.seq, server.hub.getRoomState(ROOM).seq);
  });

  it('keeps no status', async t => {
    const server = await startServer(t);
    server.hub.notifyRoomStatusChange(ROOM, 'FULL', 3, 8);
    const { following } = await comeBack(server, {});
    assert.equal(following.length, 1);
    assertText(following[0], snapshot(3, 8, '<seq>'));
  });

  it("takes the counts of the bot's own event", async t => {
    const server = await startServer(t);
    server.hub.broadcastParticipantCount(ROOM, 1, 8);
    server.hub.broadcastRoomUpdate(ROOM, {
      event: 'MERGED',
      currentParticipants: 6,
      maxParticipants: 8,
    });
    assert.equal((await newcomerSees(server)).currentParticipants, 6);
  });
});

describe('roomTtl', () => {
  it('forgets a room without members and updates, which then has a new epoch', async t => {
    const { server, hub, witness, lastSeq, epoch } = await gone(t, 1, { roomTtl: 50 });
    await witness.close();
    await until(() => hub.getRoomState(ROOM) === undefined, 'the end of the room');
    const { answer, following } = await comeBack(server, { lastSeq, epoch });
    assert.notEqual(assertText(answer, joined('<seq>', false)).epoch, epoch);
    assert.deepEqual(following, []);
  });

  it('keeps a room that has members', async t => {
    const { server, hub, epoch } = await gone(t, 1, { roomTtl: 50 });
    hub.broadcastParticipantCount('empty', 1, 2);
    await until(() => hub.getRoomState('empty') === undefined, 'the end of the empty room');
    assert.equal(hub.getRoomState(ROOM).epoch, epoch);
    assert.equal(server.hub.getClientCount(ROOM), 1);
  });
});
