'use strict';

// A hub that is set up while Redis is not there: it serves its clients, and joins the others once
// Redis is.

const assert = require('node:assert/strict');
const http = require('node:http');
const net = require('node:net');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { startFleet, startMember, untilCounted } = require('./support/fleet');
const { freePort, needsRedis, prepareRedis, startRedis } = require('./support/redis');
const { listen, startServer } = require('./support/server');
const { Updates } = require('./support/updates');
const { nextEvent, until } = require('./support/wait');
const { assertAgree, untilAllSaw, untilAllShow, watch } = require('./support/witness');

const ROOM = 1;

const urlOf = port => `redis://127.0.0.1:${port}`;

describe('a hub that is set up before Redis is there', needsRedis, () => {
  it('serves its clients, and hands their state over when it comes', async t => {
    const redis = prepareRedis(t);
    const port = await freePort();
    const bots = await startFleet(t, 2, { url: urlOf(port) }, { starts: 'away' });
    const updates = new Updates();
    const witnesses = await Promise.all(bots.map(bot => watch(bot, ROOM)));
    for (const [at, bot] of bots.entries()) {
      const names = await updates.sendSome([bot], ROOM, 3);
      await untilAllSaw([witnesses[at]], names);
      assert.deepEqual(witnesses[at].names, names);
    }
    assert.notEqual(witnesses[0].epoch, witnesses[1].epoch);
    assert.equal(await bots[0].call('getClusterClientCount', ROOM), 1);
    // A room whose only members are those of the process that has never heard of it.
    const seeded = await updates.send(bots[0], 'seeded');
    const visitor = await watch(bots[1], 'seeded', { userId: 'visitor' });
    assert.equal(visitor.current, undefined);

    const from = Date.now();
    assert.equal(await redis.start(port), true, redis.output);
    await Promise.all(bots.map(async bot => assert.equal(await bot.nextState(), 'up')));
    await untilAllShow(witnesses, updates.newest(ROOM));
    await untilAllShow([visitor], updates.newest('seeded'));
    t.diagnostic(`in step ${Date.now() - from} ms after the start of Redis, ${seeded} too`);
    await until(
      () => witnesses[0].epoch === witnesses[1].epoch,
      () => `one epoch: ${witnesses.map(({ epoch }) => epoch)}`,
    );
    assertAgree(witnesses);
    const names = await updates.sendSome(bots, ROOM, 10);
    await untilAllSaw(witnesses, names);
    assertAgree(witnesses);
    for (const bot of bots) {
      await untilCounted(bot, ROOM, 2);
      assert.deepEqual(bot.states, ['away', 'up']);
      assert.deepEqual(bot.errors, []);
    }
  });

  it('is up without having been away where Redis comes within the second', async t => {
    const redis = await startRedis(t);
    redis.pause();
    const bot = await startMember(t, { cluster: { url: redis.url }, starts: null });
    redis.resume();
    assert.equal(await bot.nextState(), 'up');
    const lines = bot.log.filter(({ level }) => level === 'warn' || level === 'error');
    // A machine that is so slow has been away.
    if (bot.states.length === 1) assert.deepEqual(lines, []);
  });
});

/** What stands on the port of `cluster.url`, and is no Redis. */
const STRANGERS = {
  'an HTTP server': t =>
    served(
      t,
      http.createServer((_, response) => response.end('plain')),
    ),
  'a server that never answers': t => served(t, net.createServer()),
  'a server that hangs up': t =>
    served(
      t,
      net.createServer(socket => socket.destroy()),
    ),
  'a server that speaks at random': t =>
    served(
      t,
      net.createServer(socket => {
        socket.on('error', () => {});
        socket.write(Buffer.from(Array.from({ length: 512 }, (_, at) => (at * 151) % 256)));
      }),
    ),
  'a server that announces more than there is': t =>
    served(
      t,
      net.createServer(socket => {
        socket.on('error', () => {});
        socket.write('$2147483647\r\n*2147483647\r\n');
      }),
    ),
  nobody: () => freePort(),
};

async function served(t, server) {
  const sockets = new Set();
  server.on('connection', socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listen(server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise(resolve => server.close(resolve));
  });
  return port;
}

describe('on the port of Redis', { concurrency: true }, () => {
  for (const [who, start] of Object.entries(STRANGERS)) {
    it(`${who}: the hub is away, says why once, and serves its clients`, async t => {
      const port = await start(t);
      const form = 'standalone';
      const server = await startServer(t, { form, cluster: { url: urlOf(port) } });
      const errors = [];
      server.hub.on('error', error => errors.push(error));
      assert.deepEqual(await nextEvent(server.hub, 'cluster'), ['away']);
      const client = await connect(server);
      await client.join(ROOM);
      assert.equal(server.hub.broadcastParticipantCount(ROOM, 1, 9), true);
      assert.equal((await client.nextMessage()).currentParticipants, 1);
      assert.equal(await server.hub.getClusterClientCount(ROOM), 1);

      // The line is there with the event or right behind it.
      const warnings = () => server.log.filter(({ level }) => level === 'warn');
      const [line] = await until(() => warnings().length > 0 && warnings(), 'a warning');
      t.diagnostic(line.message);
      assert.match(JSON.stringify(line), new RegExp(`127\\.0\\.0\\.1:${port}`));
      assert.doesNotMatch(line.message, /\n/);
      assert.equal(warnings().length, 1);
      assert.deepEqual(errors, []);
      await server.hub.close();
    });
  }
});
