'use strict';

// What options of the setup change that no other test is about.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setupRoomWebSocketServer } = require('..');
const { connect } = require('./support/client');
const { FORMS, createServer, listen, startServer } = require('./support/server');

describe('a client behind proxies', () => {
  /** The remoteAddress of a client that comes with that X-Forwarded-For. */
  async function addressOf(t, form, trustProxy, forwarded) {
    const server = await startServer(t, { form, trustProxy });
    const connected = new Promise(resolve => server.hub.once('connection', resolve));
    await connect(server, { headers: { 'X-Forwarded-For': forwarded } });
    return (await connected).remoteAddress;
  }

  for (const form of FORMS) {
    it(`has the address that trustProxy says, ${form}`, async t => {
      const forwarded = '192.0.2.1, 192.0.2.2, 192.0.2.3';
      assert.equal(await addressOf(t, form, undefined, forwarded), '127.0.0.1');
      assert.equal(await addressOf(t, form, 0, forwarded), '127.0.0.1');
      assert.equal(await addressOf(t, form, 1, forwarded), '192.0.2.3');
      assert.equal(await addressOf(t, form, 2, forwarded), '192.0.2.2');
      assert.equal(await addressOf(t, form, ['127.0.0.1', '192.0.2.3'], forwarded), '192.0.2.2');
      assert.equal(await addressOf(t, form, ['10.9.9.9'], forwarded), '127.0.0.1');
    });
  }
});

describe('setupRoomWebSocketServer', () => {
  it('serves another path where it is told to', async t => {
    for (const form of FORMS) {
      const server = await startServer(t, { form, path: '/live' });
      assert.ok(server.url.endsWith('/live'));
      await (await connect(server)).join(1);
    }
  });

  it('takes a server that listens already', async t => {
    const server = createServer('http');
    const port = await listen(server);
    const hub = setupRoomWebSocketServer(server, { logger: false });
    const started = { clients: [], url: `ws://127.0.0.1:${port}/ws/rooms` };
    t.after(() => new Promise(resolve => server.close(resolve)));
    const client = await connect(started);
    await client.join(1);
    assert.equal(hub.getClientCount(1), 1);
    assert.equal(hub.address().port, port);
  });
});
