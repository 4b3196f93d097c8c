'use strict';

// The permissions that docs/scale.md lists are enough for all that a hub does, and none is for nothing.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { needsRedis, startRedis } = require('./support/redis');
const { startRedisCluster } = require('./support/redis-cluster');
const { startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const root = path.join(__dirname, '..');
const blocks = codeBlocks(path.join(root, 'docs', 'scale.md'));

/** What the document gives to ACL SETUSER. */
const [, ...DOCUMENTED] = codeUnder(blocks, 'Permissions', 'sh')
  .replaceAll(/[\\']/g, '')
  .split(/\s+/);
assert.deepEqual(DOCUMENTED.slice(0, 3), ['ACL', 'SETUSER', 'bot']);

const COMMANDS = DOCUMENTED.filter(rule => rule.startsWith('+')).map(rule => rule.slice(1));

/** What is called after a failure only, or in a room that many processes have been in. */
const RARE = ['hget', 'hkeys'];

const urlOf = ({ port }, database = '') => `redis://bot:password@127.0.0.1:${port}${database}`;

/** What Redis has refused to the user so far, as `command channel key` lines of its own log. */
async function refused(nodes) {
  const lists = await Promise.all(nodes.map(node => node.cli('ACL', 'LOG')));
  return lists.filter(list => list !== '').join('\n');
}

async function startHub(t, url) {
  // So little that old updates are let go at once.
  const server = await startServer(t, { form: 'standalone', history: 1, cluster: { url } });
  const errors = [];
  server.hub.on('error', error => errors.push(error.message));
  return { ...server, errors };
}

const up = async ({ hub }) => assert.deepEqual(await nextEvent(hub, 'cluster'), ['up']);

/** Two hubs go through all that they may ask of Redis. */
async function goThroughAll(t, nodes, url) {
  const hubs = [await startHub(t, url), await startHub(t, url)];
  await Promise.all(hubs.map(up));
  const [here, there] = hubs;
  const client = await connect(there, { userId: 'anna' });
  await client.join(1);
  for (const seq of [1, 2]) {
    here.hub.broadcastParticipantCount(1, seq, 2);
    assert.equal((await client.nextMessage()).seq, seq);
  }
  await until(async () => (await here.hub.getClusterClientCount(1)) === 1, 'the count');
  await until(() => here.hub.getRoomState(1)?.seq === 2, 'the state');

  here.hub.removeFromRoom('anna', 1);
  assert.equal((await client.nextMessage()).type, 'ROOM_LEFT');
  await until(async () => (await here.hub.getClusterClientCount(1)) === 0, 'the count');
  here.hub.forgetRoom(1);
  await until(() => there.hub.getRoomState(1) === undefined, 'the state to be forgotten');
  // Nobody is left: the room is given up.
  const subscribed = node => node.cli('PUBSUB', 'SHARDCHANNELS', 'roomcast:room:*');
  await until(async () => (await Promise.all(nodes.map(subscribed))).join('') === '', 'the end');
  await Promise.all(hubs.map(({ hub }) => hub.close({ graceMs: 100 })));
  assert.deepEqual(
    hubs.flatMap(({ errors, log }) => [...errors, ...log]),
    [],
  );
  assert.equal(await refused(nodes), '');
}

describe('the permissions of the document', needsRedis, () => {
  it('have all that the scripts call', () => {
    const scripts = path.join(root, 'src', 'cluster', 'scripts');
    const texts = fs.readdirSync(scripts).map(name => fs.readFileSync(path.join(scripts, name)));
    const calls = texts.join('').matchAll(/redis\.call\('(\w+)'/g);
    const called = new Set([...calls].map(([, name]) => name.toLowerCase()));
    assert.ok(called.has('spublish'));
    assert.deepEqual(
      [...called].filter(name => !COMMANDS.includes(name)),
      [],
    );
  });

  it('are enough', async t => {
    const redis = await startRedis(t);
    await redis.cli(...DOCUMENTED);
    await goThroughAll(t, [redis], urlOf(redis));
    const used = await redis.cli('INFO', 'commandstats');
    const unused = COMMANDS.filter(
      name => !used.includes(`cmdstat_${name}:`) && !RARE.includes(name),
    );
    assert.deepEqual(unused, []);
  });

  it('are enough in another database', async t => {
    const redis = await startRedis(t);
    await redis.cli(...DOCUMENTED, '+select');
    await goThroughAll(t, [redis], urlOf(redis, '/3'));
  });

  it('are enough in a Redis Cluster', async t => {
    const { nodes } = await startRedisCluster(t);
    for (const node of nodes) await node.cli(...DOCUMENTED, '+cluster|slots');
    await goThroughAll(t, nodes, urlOf(nodes[0]));
  });
});
