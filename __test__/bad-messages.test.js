'use strict';

// A peer that sends rubbish, whole or cut off, hurts nobody but itself.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { OPCODE, frame, openRaw, openSession, upgradeRequest } = require('./support/raw');
const { FORMS, startServer } = require('./support/server');

for (const form of FORMS) {
  describe(`malformed messages, ${form}`, () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    const texts = [
      ...[
        '',
        ' ',
        '{',
        '}',
        '{"action"',
        '{"action":}',
        "{'action':'PING'}",
        'undefined',
        'NaN',
        '\u0000',
      ],
      ...['{"action":"PING"', '{"action":"PING"},', '[]', '[{}]', '"', '0', 'true', 'null', deep],
      ...[`{"action":${deep}}`, `{"a":${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`],
      ...['{"__proto__":{"action":"PING"}}', '{"action":{"toString":"PING"}}'],
      ...[
        '{"action":"JOIN_ROOM","roomId":{"__proto__":1}}',
        '{"action":"JOIN_ROOM","roomId":[[1]]}',
      ],
      ...['{"action":"JOIN_ROOM","roomId":1e999}', '{"action":"JOIN_ROOM","roomId":-0.1}'],
      ...['{"action":"JOIN_ROOM","roomId":"\\udfff"}', `{"action":"${'x'.repeat(60_000)}"}`],
    ];

    it('get one error each, and hurt nobody else', async t => {
      const server = await startServer(t, { form });
      const [rude, bystander] = [await connect(server), await connect(server)];
      await bystander.join(1);
      for (const text of texts) {
        const answer = JSON.parse(await rude.ask(text));
        assert.equal(answer.type, 'ERROR', text.slice(0, 80));
        server.hub.broadcastParticipantCount(1, 1, 2);
        assert.equal((await bystander.nextMessage()).type, 'ROOM_UPDATE');
      }
      assert.deepEqual(await rude.settle(), []);
      assert.equal(server.hub.getClientCount(1), 1);
    });

    it('in frames that are none end the sender alone', async t => {
      const server = await startServer(t, { form });
      const bystander = await connect(server);
      await bystander.join(1);
      let byte = 1;
      for (let round = 0; round < 50; round += 1) {
        const raw = await openSession(server);
        // A sequence of its own for every round, the same in every run.
        const noise = Buffer.from(
          Array.from({ length: 200 }, () => {
            byte = (byte * 75 + 74) % 65_537;
            return byte & 0xff;
          }),
        );
        raw.write(noise);
        raw.socket.end();
        await raw.closed;
      }
      server.hub.broadcastParticipantCount(1, 1, 2);
      assert.equal((await bystander.nextMessage()).type, 'ROOM_UPDATE');
      assert.equal(server.hub.getStats().openConnections, 1);
    });

    it('cut off anywhere leave nothing behind', async t => {
      const server = await startServer(t, { form });
      const whole = Buffer.concat([
        Buffer.from(upgradeRequest()),
        frame(OPCODE.text, '{"action":"JOIN_ROOM","roomId":1}'),
      ]);
      for (let cut = 0; cut < whole.length; cut += 7) {
        const raw = await openRaw(server);
        raw.write(whole.subarray(0, cut));
        raw.socket.end();
        await raw.closed;
      }
      const client = await connect(server);
      await client.join(1);
      assert.equal(server.hub.getClientCount(1), 1);
      assert.equal(server.hub.getStats().openConnections, 1);
    });
  });
}
