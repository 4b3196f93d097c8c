'use strict';

// Every row of the protocol's table of errors over a real socket, byte for byte: one message each,
// and the connection stays open.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { PONG, joined, status } = require('./support/messages');
const { FORMS, startServer } = require('./support/server');
const { assertText } = require('./support/text');

for (const form of FORMS) {
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
