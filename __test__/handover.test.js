'use strict';

// After a handover Node has nothing of the connection any more: no socket, no descriptor, nothing
// that its server would wait for.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { openSession, textFrame } = require('./support/raw');
const { runProgram } = require('./support/program');
const { startServer } = require('./support/server');
const { until } = require('./support/wait');

const PONG = /^\{"type":"PONG"/;

describe('after a handover', () => {
  const connectionsOf = server =>
    new Promise((resolve, reject) => {
      server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
    });

  it('Node holds no socket, no listener and no timer of the connection', async t => {
    const server = await startServer(t);
    const upgraded = [];
    server.server.on('connection', socket => upgraded.push(socket));
    const kinds = () =>
      process.getActiveResourcesInfo().filter(kind => kind === 'TCPSocketWrap').length;
    const before = kinds();
    const raws = [];
    for (let n = 0; n < 10; n += 1) raws.push(await openSession(server));
    await until(async () => (await connectionsOf(server.server)) === 0, 'no connection of Node');
    assert.equal(upgraded.length, 10);
    for (const socket of upgraded) assert.equal(socket.destroyed, true);
    // What is left are the clients' own ends, which are of this process too.
    await until(
      () => kinds() - before === raws.length,
      () => `${kinds() - before} sockets`,
    );
    for (const raw of raws) {
      raw.write(textFrame({ action: 'PING' }));
      assert.match(await raw.nextText(), PONG);
    }
  });

  it('Node waits for no WebSocket when the server closes', async t => {
    const server = await startServer(t);
    const client = await connect(server);
    await new Promise(resolve => server.server.close(resolve));
    assert.equal((await client.closed).code, 1001);
  });

  it('the descriptor is closed with the connection', {
    skip: process.platform !== 'linux',
  }, async t => {
    const descriptors = () => fs.readdirSync('/proc/self/fd').length;
    const server = await startServer(t);
    await (await connect(server)).close();
    await until(() => server.hub.getStats().openConnections === 0, 'the first has gone');
    const before = descriptors();
    for (let n = 0; n < 20; n += 1) await (await connect(server)).close();
    await until(() => server.hub.getStats().openConnections === 0, 'all have gone');
    await until(
      () => descriptors() <= before,
      () => `${before} descriptors, there are ${descriptors()}`,
    );
  });

  it('nothing of it is left in V8, and the event loop does nothing for it', async t => {
    const clients = 20;
    const bot = runProgram(t, 'quiet-bot.js', { clients });
    const { port } = await bot.nextLine();
    const turns = async () => Number(await (await fetch(`http://127.0.0.1:${port}/turns`)).text());
    const raws = [];
    for (let n = 0; n < clients; n += 1) {
      const raw = await openSession({ port, clients: raws });
      raw.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
    }
    t.after(() => {
      for (const raw of raws) raw.socket.destroy();
    });
    assert.deepEqual(await bot.nextLine(), { collected: 2 * clients });

    for (const raw of raws) await raw.nextText();
    const before = await turns();
    for (let n = 0; n < 50; n += 1) {
      for (const raw of raws) raw.write(textFrame({ action: 'GET_ROOM_STATUS', roomId: 1 }));
      for (const raw of raws) assert.match(await raw.nextText(), /"connectedClients":20/);
    }
    const during = (await turns()) - before;
    assert.ok(during < 50, `${during} turns of the loop for 1000 messages`);
  });
});
