'use strict';

// What the bot asks and hears of a cluster whose Redis never answers: every question is answered all
// the same, and the state is told to who comes late.

const assert = require('node:assert/strict');
const net = require('node:net');
const { it } = require('node:test');
const { connect } = require('./support/client');
const { listen, startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

/** The URL of something that takes connections, reads what is sent, and says nothing. */
async function silentRedis(t) {
  const sockets = new Set();
  const silent = net.createServer(socket => {
    sockets.add(socket);
    socket.resume();
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  const port = await listen(silent);
  t.after(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  return `redis://127.0.0.1:${port}`;
}

it('the count is that of this process where Redis does not answer', async t => {
  const server = await startServer(t, { cluster: { url: await silentRedis(t) } });
  await (await connect(server)).join(1);
  assert.equal(await server.hub.getClusterClientCount(1), 1);
  assert.equal(await server.hub.getClusterClientCount(2), 0);
});

it('a question that is open when the hub closes is answered at once', async t => {
  const server = await startServer(t, { cluster: { url: await silentRedis(t) } });
  const { hub } = server;
  await (await connect(server)).join(1);
  const asked = hub.getClusterClientCount(1);
  const closed = hub.close({ graceMs: 100 });
  const turn = new Promise(resolve => setImmediate(resolve, 'still open'));
  assert.equal(await Promise.race([asked, turn]), 1);

  assert.equal(typeof (await hub.getClusterClientCount(1)), 'number');
  await closed;
  assert.equal(await hub.getClusterClientCount(1), 0);
});

it('the state reaches a listener that comes after it', async t => {
  const server = await startServer(t, { cluster: { url: await silentRedis(t) } });
  await until(() => server.log.length > 0, 'the line that says that Redis is away');
  // It came with that line.
  assert.deepEqual(await nextEvent(server.hub, 'cluster'), ['away']);

  // What has been heard is not told again.
  let again = 0;
  server.hub.on('cluster', () => {
    again += 1;
  });
  await new Promise(setImmediate);
  assert.equal(again, 0);
});
