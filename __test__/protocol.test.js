'use strict';

// Every row of the wire protocol's message tables over a real socket, byte for byte: deployed pages depend on the
// field order as well as on the names. Close codes are in protocol-close.test.js, refused upgrades in upgrade.test.js.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect, dial } = require('./support/client');
const { FORMS, startServer } = require('./support/server');
const { assertText } = require('./support/text');

const PONG = '{"type":"PONG","timestamp":"<timestamp>"}';

/** ROOM_JOINED of a request that asked for no recovery. */
const joined = (roomId, userId, seq = '<seq>') =>
  `{"type":"ROOM_JOINED","roomId":${JSON.stringify(roomId)},"userId":"${userId}","timestamp":"<timestamp>",` +
  `"message":"Joined room ${roomId}","seq":${seq},"epoch":"<epoch>"}`;

const left = (roomId, userId) =>
  `{"type":"ROOM_LEFT","roomId":${JSON.stringify(roomId)},"userId":"${userId}","timestamp":"<timestamp>",` +
  `"message":"Left room ${roomId}"}`;

const status = (roomId, clients) =>
  `{"type":"ROOM_STATUS","roomId":${JSON.stringify(roomId)},"connectedClients":${clients},"timestamp":"<timestamp>"}`;

const update = (roomId, fields, seq) =>
  `{"type":"ROOM_UPDATE","roomId":${JSON.stringify(roomId)},${fields},"timestamp":"<timestamp>","seq":${seq}}`;

const snapshot = (roomId, counts, seq) =>
  `{"type":"ROOM_UPDATE","roomId":${JSON.stringify(roomId)},"event":"PARTICIPANT_COUNT_UPDATED",${counts},` +
  `"timestamp":"<timestamp>","seq":${seq},"epoch":"<epoch>"}`;

const counts = (current, max, isFull = current >= max) =>
  `"currentParticipants":${current},"maxParticipants":${max},"isFull":${isFull},"availableSlots":${Math.max(0, max - current)}`;

const MAX_ID = Number.MAX_SAFE_INTEGER;

for (const form of FORMS) {
  describe(`client to server, ${form}`, () => {
    it('greets with CONNECTION_ESTABLISHED', async t => {
      const client = dial(await startServer(t, { form }), { userId: '123456789' });
      assertText(
        await client.next(),
        '{"type":"CONNECTION_ESTABLISHED","userId":"123456789","timestamp":"<timestamp>","message":"Connected to room updates"}',
      );
      assert.equal(client.ws.extensions, '');
      assert.equal(client.ws.protocol, '');
    });

    it('escapes in JSON what a user id needs escaped', async t => {
      const client = dial(await startServer(t, { form }), { userId: 'Zoë "quoted" \\ 🎉' });
      assertText(
        await client.next(),
        '{"type":"CONNECTION_ESTABLISHED","userId":"Zoë \\"quoted\\" \\\\ 🎉","timestamp":"<timestamp>","message":"Connected to room updates"}',
      );
    });

    it('negotiates no extension and no subprotocol', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server, { perMessageDeflate: true });
      assert.equal(client.ws.extensions, '');
      assertText(await client.ask({ action: 'PING' }), PONG);
    });

    it('answers PING', async t => {
      const client = await connect(await startServer(t, { form }));
      assertText(await client.ask({ action: 'PING' }), PONG);
    });

    it('accepts a binary message that holds JSON', async t => {
      const client = await connect(await startServer(t, { form }));
      assertText(await client.ask(Buffer.from('{"action":"PING"}')), PONG);
    });

    it('answers a message of several fragments', async t => {
      const client = await connect(await startServer(t, { form }));
      client.ws.send('{"action":', { fin: false });
      client.ws.send('"PI', { fin: false });
      client.ws.send('NG"}', { fin: true });
      assertText(await client.next(), PONG);
    });

    it('answers JOIN_ROOM and LEAVE_ROOM', async t => {
      const client = await connect(await startServer(t, { form }), { userId: 'anna' });
      const { epoch } = assertText(
        await client.ask({ action: 'JOIN_ROOM', roomId: 1 }),
        joined(1, 'anna'),
      );
      assert.ok(epoch.length > 0);
      assertText(await client.ask({ action: 'LEAVE_ROOM', roomId: 1 }), left(1, 'anna'));
      assert.deepEqual(await client.settle(), []);
    });

    it('never trusts the userId inside a message', async t => {
      const client = await connect(await startServer(t, { form }), { userId: 'anna' });
      assertText(
        await client.ask({ action: 'JOIN_ROOM', roomId: 1, userId: 'eve' }),
        joined(1, 'anna'),
      );
      assertText(
        await client.ask({ action: 'LEAVE_ROOM', roomId: 1, userId: 'eve' }),
        left(1, 'anna'),
      );
      assertText(
        await client.ask({ action: 'JOIN_ROOM', roomId: 1, userId: { not: 'even' } }),
        joined(1, 'anna'),
      );
    });

    it('answers LEAVE_ROOM where the client was not in the room', async t => {
      const client = await connect(await startServer(t, { form }), { userId: 'anna' });
      assertText(await client.ask({ action: 'LEAVE_ROOM', roomId: 9 }), left(9, 'anna'));
    });

    it('answers GET_ROOM_STATUS, to members and others', async t => {
      const server = await startServer(t, { form });
      const [anna, ben] = [
        await connect(server, { userId: 'anna' }),
        await connect(server, { userId: 'ben' }),
      ];
      assertText(await anna.ask({ action: 'GET_ROOM_STATUS', roomId: 5 }), status(5, 0));
      await ben.join(5);
      assertText(await anna.ask({ action: 'GET_ROOM_STATUS', roomId: 5 }), status(5, 1));
      await anna.join(5);
      assertText(await ben.ask({ action: 'GET_ROOM_STATUS', roomId: 5 }), status(5, 2));
    });

    it('takes a double join for one membership and answers it twice', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server, { userId: 'anna' });
      server.hub.broadcastParticipantCount(1, 3, 10);
      for (let time = 0; time < 2; time += 1) {
        const { seq } = assertText(
          await client.ask({ action: 'JOIN_ROOM', roomId: 1 }),
          joined(1, 'anna'),
        );
        assertText(await client.next(), snapshot(1, counts(3, 10), seq));
      }
      assertText(await client.ask({ action: 'GET_ROOM_STATUS', roomId: 1 }), status(1, 1));
      server.hub.broadcastParticipantCount(1, 4, 10);
      assert.equal((await client.nextMessage()).currentParticipants, 4);
      assert.deepEqual(await client.settle(), []);
    });

    it('answers the messages of one client in their order', async t => {
      const client = await connect(await startServer(t, { form }), { userId: 'anna' });
      client.send({ action: 'PING' });
      client.send({ action: 'JOIN_ROOM', roomId: 'b' });
      client.send({ action: 'DANCE' });
      client.send({ action: 'JOIN_ROOM', roomId: 'a' });
      client.send({ action: 'LEAVE_ROOM', roomId: 'b' });
      client.send({ action: 'GET_ROOM_STATUS', roomId: 'a' });
      client.send({ action: 'PING' });
      assertText(await client.next(), PONG);
      assertText(await client.next(), joined('b', 'anna'));
      assertText(await client.next(), '{"type":"ERROR","error":"Unknown action","action":"DANCE"}');
      assertText(await client.next(), joined('a', 'anna'));
      assertText(await client.next(), left('b', 'anna'));
      assertText(await client.next(), status('a', 1));
      assertText(await client.next(), PONG);
    });
  });

  describe(`room ids, ${form}`, () => {
    const valid = [
      ['zero', '0', 0],
      ['the greatest safe integer', String(MAX_ID), MAX_ID],
      ['a string', '"lobby"', 'lobby'],
      ['a string that is a canonical integer', '"1"', 1],
      ['a string of zero', '"0"', 0],
      ['a string of the greatest safe integer', `"${MAX_ID}"`, MAX_ID],
      ['a string with a leading zero', '"01"', '01'],
      ['a string beyond the safe integers', '"9007199254740992"', '9007199254740992'],
      ['a string of a negative number', '"-1"', '-1'],
      ['a string of a float', '"1.5"', '1.5'],
      ['a string of 128 bytes', `"${'é'.repeat(64)}"`, 'é'.repeat(64)],
      ['a string of one byte', '"x"', 'x'],
    ];
    for (const [name, sent, meant] of valid) {
      it(`takes ${name}, alike for all three actions`, async t => {
        const client = await connect(await startServer(t, { form }), { userId: 'u' });
        assertText(await client.ask(`{"action":"JOIN_ROOM","roomId":${sent}}`), joined(meant, 'u'));
        assertText(
          await client.ask(`{"action":"GET_ROOM_STATUS","roomId":${sent}}`),
          status(meant, 1),
        );
        assertText(await client.ask(`{"action":"LEAVE_ROOM","roomId":${sent}}`), left(meant, 'u'));
      });
    }

    const invalid = [
      ['a float', '1.5'],
      ['a negative integer', '-1'],
      ['an integer beyond the safe ones', '9007199254740992'],
      ['an integer far beyond', '1e300'],
      ['true', 'true'],
      ['false', 'false'],
      ['an object', '{"id":1}'],
      ['an array', '[1]'],
      ['the empty string', '""'],
      ['a string of 129 bytes', `"${'x'.repeat(129)}"`],
      ['a string of 65 characters that are 130 bytes', `"${'é'.repeat(65)}"`],
      ['a control character', String.raw`"a\nb"`],
      ['a NUL', String.raw`"a\u0000"`],
      ['a DEL', String.raw`"a\u007f"`],
    ];
    for (const [name, sent] of invalid) {
      it(`refuses ${name}, alike for all three actions`, async t => {
        const client = await connect(await startServer(t, { form }));
        for (const action of ['JOIN_ROOM', 'LEAVE_ROOM', 'GET_ROOM_STATUS']) {
          const answer = await client.ask(`{"action":"${action}","roomId":${sent}}`);
          assert.equal(answer, '{"type":"ERROR","error":"Invalid roomId"}', action);
        }
        assertText(await client.ask({ action: 'PING' }), PONG);
      });
    }

    it('takes "1" and 1 for one room', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server, { userId: 'u' });
      const { seq } = assertText(
        await client.ask({ action: 'JOIN_ROOM', roomId: '1' }),
        joined(1, 'u'),
      );
      server.hub.broadcastParticipantCount(1, 1, 2);
      server.hub.broadcastParticipantCount('1', 2, 2);
      const fields = '"event":"PARTICIPANT_COUNT_UPDATED"';
      assertText(await client.next(), update(1, `${fields},${counts(1, 2)}`, seq + 1));
      assertText(await client.next(), update(1, `${fields},${counts(2, 2)}`, seq + 2));
      assert.equal(server.hub.getClientCount('1'), 1);
      assert.deepEqual(server.hub.getActiveRooms(), [1]);
    });

    it('says that a roomId is required where it is missing or null', async t => {
      const client = await connect(await startServer(t, { form }));
      for (const action of ['JOIN_ROOM', 'LEAVE_ROOM', 'GET_ROOM_STATUS']) {
        for (const message of [{ action }, { action, roomId: null }]) {
          assert.equal(await client.ask(message), '{"type":"ERROR","error":"roomId is required"}');
        }
      }
    });
  });

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

  describe(`errors, ${form}`, () => {
    const messages = [
      ['not JSON', 'hello'],
      ['an empty message', ''],
      ['JSON with something behind it', '{"action":"PING"}x'],
      ['an array', '[{"action":"PING"}]'],
      ['a string', '"PING"'],
      ['a number', '1'],
      ['null', 'null'],
      ['a lone surrogate', String.raw`{"action":"JOIN_ROOM","roomId":"\ud800"}`],
    ];
    for (const [name, sent] of messages) {
      it(`Message processing error: ${name}`, async t => {
        const client = await connect(await startServer(t, { form }));
        assert.equal(await client.ask(sent), '{"type":"ERROR","error":"Message processing error"}');
        assertText(await client.ask({ action: 'PING' }), PONG);
      });
    }

    const actions = [
      ['one that nobody knows', '{"action":"DANCE"}', ',"action":"DANCE"'],
      ['one in the wrong case', '{"action":"ping"}', ',"action":"ping"'],
      ['one that needs escapes', String.raw`{"action":"a\"\\\n"}`, String.raw`,"action":"a\"\\\n"`],
      ['one of 64 bytes', `{"action":"${'é'.repeat(32)}"}`, `,"action":"${'é'.repeat(32)}"`],
      ['one of 65 bytes', `{"action":"${'x'.repeat(65)}"}`, ''],
      ['none', '{}', ''],
      ['null', '{"action":null}', ''],
      ['a number', '{"action":1}', ''],
      ['an object', '{"action":{"action":"PING"}}', ''],
    ];
    for (const [name, sent, echoed] of actions) {
      it(`Unknown action: ${name}`, async t => {
        const client = await connect(await startServer(t, { form }));
        assert.equal(await client.ask(sent), `{"type":"ERROR","error":"Unknown action"${echoed}}`);
        assertText(await client.ask({ action: 'PING' }), PONG);
      });
    }

    it('Access denied to this room', async t => {
      const server = await startServer(t, { form, authorizeJoin: (_, roomId) => roomId === 2 });
      const client = await connect(server, { userId: 'u' });
      const denied = roomId =>
        `{"type":"ERROR","error":"Access denied to this room","roomId":${roomId}}`;
      assert.equal(await client.ask({ action: 'JOIN_ROOM', roomId: 1 }), denied(1));
      assert.equal(await client.ask({ action: 'JOIN_ROOM', roomId: 'lobby' }), denied('"lobby"'));
      assert.equal(await client.ask({ action: 'JOIN_ROOM', roomId: '1' }), denied(1));
      assertText(await client.ask({ action: 'JOIN_ROOM', roomId: 2 }), joined(2, 'u'));
    });

    it('Unable to verify room membership', async t => {
      const authorizeJoin = () => Promise.reject(new Error('the database is away'));
      const client = await connect(await startServer(t, { form, authorizeJoin }));
      assert.equal(
        await client.ask({ action: 'JOIN_ROOM', roomId: 7 }),
        '{"type":"ERROR","error":"Unable to verify room membership","roomId":7}',
      );
      assertText(await client.ask({ action: 'PING' }), PONG);
    });

    it('Too many rooms', async t => {
      const client = await connect(await startServer(t, { form, maxRoomsPerConnection: 2 }), {
        userId: 'u',
      });
      await client.join(1);
      await client.join(2);
      const refused = '{"type":"ERROR","error":"Too many rooms","roomId":"x"}';
      assert.equal(await client.ask({ action: 'JOIN_ROOM', roomId: 'x' }), refused);
      assertText(await client.ask({ action: 'JOIN_ROOM', roomId: 2 }), joined(2, 'u'));
      await client.ask({ action: 'LEAVE_ROOM', roomId: 1 });
      assertText(await client.ask({ action: 'JOIN_ROOM', roomId: 'x' }), joined('x', 'u'));
    });

    it('Rate limit exceeded, at most once per second', async t => {
      const client = await connect(await startServer(t, { form, messageRate: 1, messageBurst: 3 }));
      // One write, so that all of them fall into one instant of the server's.
      client.ws._socket.cork();
      for (let sent = 0; sent < 8; sent += 1) client.send({ action: 'GET_ROOM_STATUS', roomId: 1 });
      client.ws._socket.uncork();
      for (let answered = 0; answered < 3; answered += 1)
        assertText(await client.next(), status(1, 0));
      const refused =
        '{"type":"ERROR","error":"Rate limit exceeded","action":"GET_ROOM_STATUS","roomId":1}';
      assert.equal(await client.next(), refused);
    });
  });
}
