'use strict';

// The closing handshake in both directions, what the bot hears of it, and the ends that a peer's
// faults lead to (RFC 6455 §5, §7 and §8.1).

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { OPCODE, closePayload, frame, openSession } = require('./support/raw');
const { FORMS, startServer } = require('./support/server');
const { nextEvent } = require('./support/wait');

/** The code and reason that the bot hears of. */
async function disconnection(server) {
  const [, code, reason] = await nextEvent(server.hub, 'disconnect');
  return { code, reason };
}

const PONG = { opcode: OPCODE.pong, fin: true };

for (const form of FORMS) {
  describe(`a close by the client, ${form}`, () => {
    for (const [code, reason] of [
      [1000, ''],
      [1001, 'Navigated away'],
      [3000, 'é'.repeat(61)],
      [4999, 'Own'],
    ]) {
      it(`with ${code} is answered with the same code, and the bot hears of it`, async t => {
        const server = await startServer(t, { form });
        const client = await connect(server);
        const heard = disconnection(server);
        assert.equal((await client.close(code, reason)).code, code);
        assert.deepEqual(await heard, { code, reason });
      });
    }

    it('with no code is answered with an empty Close frame', async t => {
      const server = await startServer(t, { form });
      const raw = await openSession(server);
      const heard = disconnection(server);
      raw.write(frame(OPCODE.close));
      const answer = await raw.nextFrame();
      assert.equal(answer.opcode, OPCODE.close);
      await raw.closed;
      // RFC 6455 §7.1.5: what stands for a Close frame without a code.
      assert.equal((await heard).code, 1005);
    });

    it('is the last that is read', async t => {
      const server = await startServer(t, { form });
      const raw = await openSession(server);
      raw.write(
        Buffer.concat([
          frame(OPCODE.text, '{"action":"PING"}'),
          frame(OPCODE.close, closePayload(1000)),
          frame(OPCODE.text, '{"action":"PING"}'),
        ]),
      );
      assert.match(await raw.nextText(), /"PONG"/);
      assert.equal((await raw.nextClose()).code, 1000);
      await raw.closed;
      assert.equal(raw.frames.length, 3);
    });

    it('without a word ends its memberships', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server);
      await client.join(1);
      const heard = disconnection(server);
      client.terminate();
      await heard;
      assert.equal(server.hub.getClientCount(1), 0);
    });
  });

  describe(`a close by the server, ${form}`, () => {
    it('waits for the answer, and tells the bot its own code', async t => {
      const server = await startServer(t, { form });
      const raw = await openSession(server);
      const heard = disconnection(server);
      server.hub.disconnectUser('raw', 4001, 'Elsewhere');
      assert.deepEqual(await raw.nextClose(), { code: 4001, reason: 'Elsewhere' });
      raw.write(frame(OPCODE.close, closePayload(4001)));
      await raw.closed;
      assert.deepEqual(await heard, { code: 4001, reason: 'Elsewhere' });
    });

    it('comes behind what was sent before it', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server);
      await client.join(1);
      for (let count = 0; count < 20; count += 1)
        server.hub.broadcastParticipantCount(1, count, 99);
      server.hub.disconnectRoom(1);
      assert.equal((await client.closed).code, 1000);
      const updates = client.received.filter(text => text.includes('"ROOM_UPDATE"'));
      assert.equal(updates.length, 20);
    });

    it('is followed by no update', async t => {
      const server = await startServer(t, { form });
      const raw = await openSession(server);
      raw.write(frame(OPCODE.text, '{"action":"JOIN_ROOM","roomId":1}'));
      await raw.nextText();
      server.hub.disconnectUser('raw');
      for (let count = 0; count < 20; count += 1)
        server.hub.broadcastParticipantCount(1, count, 99);
      await raw.nextClose();
      raw.write(frame(OPCODE.close, closePayload(1008)));
      await raw.closed;
      assert.equal(raw.frames.at(-1).opcode, OPCODE.close);
    });
  });

  describe(`the payload limit, ${form}`, () => {
    it('is 64 KiB, and a message of just that is read', async t => {
      const server = await startServer(t, { form });
      const client = await connect(server);
      const message = '{"action":"PING"}';
      const fill = size => message + ' '.repeat(size - message.length);
      assert.match(await client.ask(fill(65_536)), /"PONG"/);
      const heard = disconnection(server);
      client.send(fill(65_537));
      assert.deepEqual(await client.closed, { code: 1009, reason: 'Message too large' });
      assert.deepEqual(await heard, { code: 1009, reason: 'Message too large' });
    });

    it('is for the message and not for its fragments', async t => {
      const server = await startServer(t, { form, maxPayload: 100 });
      const client = await connect(server);
      client.ws.send('{"action":"PING"', { fin: false });
      client.ws.send(`${' '.repeat(83)}}`, { fin: true });
      assert.match(await client.next(), /"PONG"/);
      client.ws.send('{"action":"PING"', { fin: false });
      client.ws.send(`${' '.repeat(84)}}`, { fin: true });
      assert.deepEqual(await client.closed, { code: 1009, reason: 'Message too large' });
    });

    it('does not wait for the payload that a header promises', async t => {
      const server = await startServer(t, { form });
      const raw = await openSession(server);
      raw.write(Buffer.from([0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4]));
      assert.deepEqual(await raw.nextClose(), { code: 1009, reason: 'Message too large' });
      await raw.closed;
    });
  });

  describe(`a protocol violation, ${form}`, () => {
    const text = '{"action":"PING"}';
    const violations = {
      'an unmasked frame': [frame(OPCODE.text, text, { masked: false })],
      'a reserved bit': [frame(OPCODE.text, text, { rsv: 4 })],
      'a reserved opcode': [frame(0x3, text)],
      'a reserved control opcode': [frame(0xb, '')],
      'a ping in fragments': [frame(OPCODE.ping, '', { fin: false })],
      'a ping of more than 125 bytes': [frame(OPCODE.ping, 'x'.repeat(126))],
      'a continuation of nothing': [frame(OPCODE.continuation, text)],
      'a message within a message': [
        frame(OPCODE.text, text.slice(0, 5), { fin: false }),
        frame(OPCODE.text, text),
      ],
      'a Close frame of one byte': [frame(OPCODE.close, Buffer.from([3]))],
      'a close code that may not be sent': [frame(OPCODE.close, closePayload(1005))],
      'a close code out of range': [frame(OPCODE.close, closePayload(999))],
    };
    for (const [name, frames] of Object.entries(violations)) {
      it(`ends with 1002: ${name}`, async t => {
        const server = await startServer(t, { form });
        const bystander = await connect(server);
        const raw = await openSession(server);
        const heard = disconnection(server);
        raw.write(Buffer.concat(frames));
        assert.equal((await raw.nextClose()).code, 1002);
        await raw.closed;
        assert.equal((await heard).code, 1002);
        assert.deepEqual(await bystander.settle(), []);
      });
    }

    const invalid = {
      'in a text': [frame(OPCODE.text, Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
      'in a text that is cut within a character': [
        frame(OPCODE.text, Buffer.from([0x22, 0xe2, 0x82])),
      ],
      'in a surrogate': [frame(OPCODE.text, Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))],
      'in fragments': [
        frame(OPCODE.text, Buffer.from([0x22, 0xe2]), { fin: false }),
        frame(OPCODE.continuation, Buffer.from([0x28, 0xa1, 0x22])),
      ],
      'in the reason of a close': [frame(OPCODE.close, Buffer.from([0x03, 0xe8, 0xff, 0xfe]))],
    };
    for (const [name, frames] of Object.entries(invalid)) {
      it(`ends with 1007: invalid UTF-8 ${name}`, async t => {
        const server = await startServer(t, { form });
        const raw = await openSession(server);
        const heard = disconnection(server);
        raw.write(Buffer.concat(frames));
        assert.equal((await raw.nextClose()).code, 1007);
        await raw.closed;
        assert.equal((await heard).code, 1007);
      });
    }
  });

  describe(`what a peer may do, ${form}`, () => {
    it('ping, and its payload comes back', async t => {
      const raw = await openSession(await startServer(t, { form }));
      for (const payload of ['', 'beat', 'x'.repeat(125)]) {
        raw.write(frame(OPCODE.ping, payload));
        const { fin, opcode, masked, payload: answer } = await raw.nextFrame();
        assert.deepEqual({ fin, opcode }, PONG);
        assert.equal(masked, false);
        assert.equal(answer.toString(), payload);
      }
    });

    it('ping many times at once, and all payloads come back in their order', async t => {
      const raw = await openSession(await startServer(t, { form }));
      const payloads = Array.from({ length: 20 }, (_, index) => `beat ${index}`);
      raw.write(Buffer.concat(payloads.map(payload => frame(OPCODE.ping, payload))));
      for (const payload of payloads) {
        assert.equal((await raw.nextFrame()).payload.toString(), payload);
      }
    });

    it('ping between the fragments of a message', async t => {
      const raw = await openSession(await startServer(t, { form }));
      raw.write(frame(OPCODE.text, '{"action":', { fin: false }));
      raw.write(frame(OPCODE.ping, 'between'));
      raw.write(frame(OPCODE.continuation, '"PING"}'));
      const first = await raw.nextFrame();
      assert.equal(first.opcode, OPCODE.pong);
      assert.equal(first.payload.toString(), 'between');
      assert.match(await raw.nextText(), /"PONG"/);
    });

    it('send an unasked pong, which nobody answers', async t => {
      const raw = await openSession(await startServer(t, { form }));
      raw.write(frame(OPCODE.pong, 'unasked'));
      raw.write(frame(OPCODE.ping, 'asked'));
      assert.equal((await raw.nextFrame()).payload.toString(), 'asked');
    });

    it('split a character over fragments', async t => {
      const raw = await openSession(await startServer(t, { form }));
      const bytes = Buffer.from('{"action":"é"}');
      const middle = bytes.indexOf(0xa9);
      raw.write(frame(OPCODE.text, bytes.subarray(0, middle), { fin: false }));
      raw.write(frame(OPCODE.continuation, '', { fin: false }));
      raw.write(frame(OPCODE.continuation, bytes.subarray(middle)));
      assert.equal(await raw.nextText(), '{"type":"ERROR","error":"Unknown action","action":"é"}');
    });
  });
}
