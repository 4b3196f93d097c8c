'use strict';

// What a client may send once it is let in, how long it may be silent, and what it may leave lying:
// one over each limit has its answer or its close code, and its counter. The rates here are so small
// that no token comes back while a test runs, and the bucket alone decides.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { aftermath, startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { questions } = require('./support/hooks');
const { OPCODE, closePayload, frame, openSession, textFrame } = require('./support/raw');
const { sampleOf } = require('./support/sample');
const { FORMS, startServer } = require('./support/server');
const { FILL, startMember } = require('./support/slow-member');
const { until } = require('./support/wait');

const limitedBy = ({ hub }, limit) => sampleOf(hub, `limits_total{limit="${limit}"}`);
const endedWith = ({ hub }, code) => sampleOf(hub, `disconnections_total{code="${code}"}`);

const NO_TOKENS = 1e-6;
const OVER = '{"type":"ERROR","error":"Rate limit exceeded","action":"PING"}';

for (const form of FORMS) {
  describe(`maxRoomsPerConnection, ${form}`, () => {
    it('is 100, and the one over is refused and counted', async t => {
      const server = await startHostile(t, { form });
      const client = await connect(server);
      for (let roomId = 1; roomId <= 100; roomId += 1) await client.join(roomId);
      assert.equal(limitedBy(server, 'rooms'), 0);
      client.send({ action: 'JOIN_ROOM', roomId: 101 });
      assert.deepEqual(await client.nextMessage(), {
        type: 'ERROR',
        error: 'Too many rooms',
        roomId: 101,
      });
      assert.equal(limitedBy(server, 'rooms'), 1);
      assert.equal(sampleOf(server.hub, 'memberships'), 100);
      assert.equal(server.hub.getClientCount(101), 0);
    });

    it('is not passed by joins that the bot authorises side by side', async t => {
      const { hook, call } = questions();
      const options = { form, maxRoomsPerConnection: 2, authorizeJoin: hook };
      const server = await startHostile(t, options);
      const client = await connect(server);
      for (const roomId of [1, 2, 3, 4, 5]) client.send({ action: 'JOIN_ROOM', roomId });
      for (const number of [4, 3, 2, 1, 0]) (await call(number)).resolve(true);
      const answers = (await client.take(5)).map(text => JSON.parse(text));
      const [joined, refused] = ['ROOM_JOINED', 'Too many rooms'];
      assert.deepEqual(
        answers.map(({ type, error, roomId }) => [error ?? type, roomId]),
        [
          [joined, 1],
          [joined, 2],
          [refused, 3],
          [refused, 4],
          [refused, 5],
        ],
      );
      assert.equal(limitedBy(server, 'rooms'), 3);
      assert.equal(sampleOf(server.hub, 'memberships'), 2);
    });
  });

  describe(`messageRate and messageBurst, ${form}`, () => {
    const start = (t, messageBurst) =>
      startHostile(t, { form, messageRate: NO_TOKENS, messageBurst });

    it('drop what is over, answer once, and count each', async t => {
      const server = await start(t, 3);
      const client = await connect(server);
      for (let sent = 0; sent < 8; sent += 1) client.send({ action: 'PING' });
      for (let taken = 0; taken < 3; taken += 1) assert.match(await client.next(), /"PONG"/);
      assert.equal(await client.next(), OVER);
      await until(() => limitedBy(server, 'rate') === 5, 'five that were dropped');
      assert.equal(sampleOf(server.hub, 'messages_received_total{action="PING"}'), 3);
      assert.deepEqual(client.takeUnread(), []);
    });

    it('are for one connection: another one of the same user has its own', async t => {
      const server = await start(t, 1);
      const [first, second] = [await connect(server), await connect(server)];
      assert.match(await first.ask({ action: 'PING' }), /"PONG"/);
      assert.equal(await first.ask({ action: 'PING' }), OVER);
      assert.match(await second.ask({ action: 'PING' }), /"PONG"/);
    });

    const ping = textFrame({ action: 'PING' });
    const kinds = {
      pings: frame(OPCODE.ping, 'x'),
      pongs: frame(OPCODE.pong, 'x'),
      messages: textFrame({ action: 'GET_ROOM_STATUS', roomId: 1 }),
      'messages that are none': frame(OPCODE.binary, 'x'),
    };
    for (const [name, one] of Object.entries(kinds)) {
      it(`count ${name}: three of them leave one token of four`, async t => {
        const server = await start(t, 4);
        const raw = await openSession(server);
        raw.write(Buffer.concat([one, one, one, ping, ping]));
        const texts = () => raw.frames.map(({ payload }) => payload.toString());
        await until(
          () => texts().at(-1) === OVER,
          () => `the refusal of the fifth: ${texts().join('\n')}`,
        );
        const pongs = raw.frames.filter(({ payload }) => payload.includes('"PONG"'));
        assert.equal(pongs.length, 1);
        assert.equal(limitedBy(server, 'rate'), 1);
      });
    }

    it('count each fragment of a message, also the empty ones', async t => {
      const fragments = [
        frame(OPCODE.text, '{"action":', { fin: false }),
        frame(OPCODE.continuation, '', { fin: false }),
        frame(OPCODE.continuation, '"', { fin: false }),
        frame(OPCODE.continuation, 'PING"}'),
      ];
      const server = await start(t, fragments.length);
      const raw = await openSession(server);
      raw.write(Buffer.concat(fragments));
      assert.match(await raw.nextText(), /"PONG"/);
      assert.equal(limitedBy(server, 'rate'), 0);

      const other = await openSession(server);
      other.write(Buffer.concat([frame(OPCODE.pong), ...fragments]));
      assert.equal(await other.nextText(), OVER);
      assert.equal(limitedBy(server, 'rate'), 1);
    });
  });

  describe(`maxPayload, ${form}`, () => {
    it('ends a connection with 1009 one byte over, and counts it', async t => {
      const server = await startHostile(t, { form, maxPayload: 100 });
      const raw = await openSession(server);
      const message = '{"action":"PING"}';
      raw.write(frame(OPCODE.text, message.padEnd(100)));
      assert.match(await raw.nextText(), /"PONG"/);
      assert.equal(limitedBy(server, 'payload'), 0);
      raw.write(frame(OPCODE.text, message.padEnd(101)));
      assert.deepEqual(await raw.nextClose(), { code: 1009, reason: 'Message too large' });
      await raw.closed;
      assert.equal(limitedBy(server, 'payload'), 1);
      await until(() => endedWith(server, 1009) === 1, 'the end of the connection');
    });

    it('is for all fragments together of a message that never ends', async t => {
      const server = await startHostile(t, { form, maxPayload: 100 });
      const raw = await openSession(server);
      raw.write(frame(OPCODE.text, 'x'.repeat(10), { fin: false }));
      for (let sent = 10; sent < 100; sent += 10) {
        raw.write(frame(OPCODE.continuation, 'x'.repeat(10), { fin: false }));
      }
      raw.write(frame(OPCODE.ping, 'full'));
      assert.equal((await raw.nextFrame()).payload.toString(), 'full');
      raw.write(frame(OPCODE.continuation, '', { fin: false }));
      raw.write(frame(OPCODE.ping, 'still full'));
      assert.equal((await raw.nextFrame()).payload.toString(), 'still full');
      raw.write(frame(OPCODE.continuation, 'x', { fin: false }));
      assert.deepEqual(await raw.nextClose(), { code: 1009, reason: 'Message too large' });
      await raw.closed;
      assert.equal(limitedBy(server, 'payload'), 1);
      await until(() => endedWith(server, 1009) === 1, 'the end of the connection');
    });

    it('has a counter that a client cannot raise by its own close code', async t => {
      const server = await startHostile(t, { form });
      const raw = await openSession(server);
      raw.write(frame(OPCODE.close, closePayload(1009)));
      await raw.closed;
      await until(() => endedWith(server, 1009) === 1, 'the end of the connection');
      assert.equal(limitedBy(server, 'payload'), 0);
    });
  });

  describe(`pingInterval and pongTimeout, ${form}`, () => {
    it('end a silent peer, which is counted, unlike one that just goes', async t => {
      const server = await startHostile(t, { form, pingInterval: 50, pongTimeout: 500 });
      const gone = await openSession(server);
      gone.terminate();
      await until(() => endedWith(server, 1006) === 1, 'the end of the one that went');
      assert.equal(limitedBy(server, 'heartbeat'), 0);
      const silent = await openSession(server);
      await silent.closed;
      await until(() => endedWith(server, 1006) === 2, 'the end of the silent one');
      assert.equal(limitedBy(server, 'heartbeat'), 1);
    });
  });

  describe(`maxBufferedBytes and slowTimeout, ${form}`, () => {
    it('end a client that takes nothing, though its Close frame cannot be delivered', async t => {
      const end = aftermath(t);
      const options = { slowTimeout: 200, closeTimeout: 200, fillers: 1 };
      const { server, hub, raw, broadcast, filling } = await startMember(t, form, options);
      end.of(server);
      const heard = [];
      hub.on('slow', ({ userId }) => heard.push(`slow ${userId}`));
      hub.on('disconnect', ({ userId }, code, reason) => heard.push(`${userId} ${code} ${reason}`));
      while (!heard.at(-1)?.startsWith('raw')) await broadcast(filling[0], FILL);
      assert.equal(heard[0], 'slow raw');
      assert.equal(heard.at(-1), 'raw 1013 Slow consumer');
      // It has not read on: nobody waits for that.
      assert.equal(raw.socket.isPaused(), true);
      await until(() => hub.getStats().openConnections === 1, 'the witness alone');
      await until(() => hub.getStats().bufferedBytes === 0, 'no backlog');
      assert.equal(hub.getStats().slowClients, 0);
      assert.deepEqual([limitedBy(server, 'slow'), endedWith(server, 1013)], [1, 1]);
      assert.ok(sampleOf(hub, 'conflated_total') > 0);
    });
  });
}

describe('a flood', () => {
  // It takes the 5 s for which a client is borne with. All forms and kinds of frames at once, since
  // the waiting is the same.
  it('is closed with 1008 and counted, whatever its frames are', async t => {
    const kinds = {
      messages: textFrame({ action: 'PING' }),
      pings: frame(OPCODE.ping, 'x'),
      pongs: frame(OPCODE.pong, 'x'),
      'empty fragments': frame(OPCODE.continuation, '', { fin: false }),
      'fragments of one byte': frame(OPCODE.continuation, 'x', { fin: false }),
    };
    const end = aftermath(t);
    const floods = [];
    const servers = [];
    for (const form of FORMS) {
      const options = { form, messageRate: 2, messageBurst: 2, closeTimeout: 100 };
      const server = await startServer(t, options);
      end.of(server);
      servers.push(server);
      for (const [name, one] of Object.entries(kinds)) {
        const raw = await openSession(server);
        if (name.includes('fragments')) raw.write(frame(OPCODE.text, '{', { fin: false }));
        floods.push({ name: `${name}, ${form}`, raw, one });
      }
    }
    const flood = setInterval(() => {
      for (const { raw, one } of floods) raw.write(one);
    }, 50);
    t.after(() => clearInterval(flood));
    for (const { name, raw } of floods) {
      await raw.closed;
      const close = raw.frames.at(-1);
      assert.equal(close.opcode, OPCODE.close, name);
      assert.equal(close.payload.toString('utf8', 2), 'Rate limit exceeded', name);
      assert.equal(close.payload.readUInt16BE(), 1008, name);
    }
    const count = Object.keys(kinds).length;
    for (const server of servers) {
      await until(() => endedWith(server, 1008) === count, 'the end of them all');
      assert.equal(limitedBy(server, 'flood'), count);
      assert.ok(limitedBy(server, 'rate') > 10 * count);
    }
  });
});
