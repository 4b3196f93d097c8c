'use strict';

// Every row of the protocol's table of close codes that the world outside can bring about, over a
// real socket. 1013 'Slow consumer' is in slow.test.js.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect, dial } = require('./support/client');
const { OPCODE, frame, openSession } = require('./support/raw');
const { FORMS, startServer } = require('./support/server');
const { until } = require('./support/wait');

for (const form of FORMS) {
  describe(`close codes, ${form}`, () => {
    it("1000 'Room closed'", async t => {
      const server = await startServer(t, { form });
      const [inside, outside] = [await connect(server), await connect(server)];
      await inside.join(1);
      await outside.join(2);
      assert.equal(server.hub.disconnectRoom(1), 1);
      assert.deepEqual(await inside.closed, { code: 1000, reason: 'Room closed' });
      assert.deepEqual(await outside.settle(), []);
    });

    it("1001 'Server shutting down'", async t => {
      const server = await startServer(t, { form });
      const client = await connect(server);
      await server.hub.close();
      assert.deepEqual(await client.closed, { code: 1001, reason: 'Server shutting down' });
    });

    it("1008 'Missing userId'", async t => {
      const server = await startServer(t, { form });
      for (const query of ['', '?', '?userId=', '?user=1']) {
        const client = dial(server, { query });
        assert.deepEqual(await client.closed, { code: 1008, reason: 'Missing userId' }, query);
        assert.deepEqual(client.received, []);
      }
    });

    it("1008 'Unauthorized'", async t => {
      const client = dial(await startServer(t, { form, authenticate: () => null }));
      assert.deepEqual(await client.closed, { code: 1008, reason: 'Unauthorized' });
      assert.deepEqual(client.received, []);
    });

    it("1008 'Session expired'", async t => {
      const authenticate = () => ({ userId: 'u', expiresAt: Date.now() + 300 });
      const client = dial(await startServer(t, { form, authenticate }));
      assert.deepEqual(await client.closed, { code: 1008, reason: 'Session expired' });
    });

    it("1008 'Disconnected', or what the bot says instead", async t => {
      const server = await startServer(t, { form });
      const [plain, named] = [
        await connect(server, { userId: 'a' }),
        await connect(server, { userId: 'b' }),
      ];
      assert.equal(server.hub.disconnectUser('a'), 1);
      assert.equal(server.hub.disconnectUser('b', 4001, 'Elsewhere'), 1);
      assert.deepEqual(await plain.closed, { code: 1008, reason: 'Disconnected' });
      assert.deepEqual(await named.closed, { code: 4001, reason: 'Elsewhere' });
    });

    it("1009 'Message too large'", async t => {
      const server = await startServer(t, { form, maxPayload: 1000 });
      const [client, other] = [await connect(server), await connect(server)];
      client.send(`{"action":"PING","pad":"${'x'.repeat(1000)}"}`);
      assert.deepEqual(await client.closed, { code: 1009, reason: 'Message too large' });
      assert.deepEqual(await other.settle(), []);
    });

    it("1013 'Try again later'", async t => {
      const authenticate = () => Promise.reject(new Error('the database is away'));
      const client = dial(await startServer(t, { form, authenticate }));
      assert.deepEqual(await client.closed, { code: 1013, reason: 'Try again later' });
      assert.deepEqual(client.received, []);
    });

    it('1002 for a protocol violation', async t => {
      const client = await openSession(await startServer(t, { form }));
      client.write(frame(OPCODE.text, '{"action":"PING"}', { masked: false }));
      assert.equal((await client.nextClose()).code, 1002);
      await client.closed;
    });

    it('1007 for invalid UTF-8', async t => {
      const client = await openSession(await startServer(t, { form }));
      client.write(frame(OPCODE.text, Buffer.from([0x22, 0xc3, 0x28, 0x22])));
      assert.equal((await client.nextClose()).code, 1007);
      await client.closed;
    });
  });
}

describe('the close code of a flood', { concurrency: true }, () => {
  for (const form of FORMS) {
    it(`1008 'Rate limit exceeded' after 5 s of more than twice the message rate, ${form}`, async t => {
      const client = await connect(await startServer(t, { form, messageRate: 5, messageBurst: 5 }));
      const flood = setInterval(() => client.send({ action: 'PING' }), 20);
      t.after(() => clearInterval(flood));
      await until(() => client.ws.readyState === client.ws.CLOSED, 'the close');
      clearInterval(flood);
      assert.deepEqual(await client.closed, { code: 1008, reason: 'Rate limit exceeded' });
    });
  }
});
