'use strict';

// Every action of the wire protocol over a real socket, byte for byte: deployed pages depend on the
// field order as well as on the names. Updates are in protocol-updates.test.js, errors in
// protocol-errors.test.js, close codes in protocol-close.test.js, refusals in upgrade.test.js.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect, dial } = require('./support/client');
const { PONG, counts, joined, left, snapshot, status, update } = require('./support/messages');
const { FORMS, startServer } = require('./support/server');
const { assertText } = require('./support/text');

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
}
