'use strict';

// The pieces of docs/scale.md, and what README and deploy.md say of several processes, with a Redis.

const assert = require('node:assert/strict');
const { execFile, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const { promisify } = require('node:util');
const zlib = require('node:zlib');
const { setupRoomWebSocketServer } = require('..');
const { connect } = require('./support/client');
const { codeIn, documents, root, wordsOf } = require('./support/documents');
const { needsNginx, substitute } = require('./support/nginx');
const { freePort, needsRedis, startRedis } = require('./support/redis');
const { closeServer, listen, startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const run = promisify(execFile);
const ON_PAPER = 'On paper: a million clients in 10 000 rooms';
const code = (heading, nth = 0, language = 'js') => codeIn('docs/scale.md', heading, language, nth);

/** Runs a block with what it takes for granted; `result` is what it leaves behind. */
const runBlock = (text, given, result = 'undefined') =>
  new Function(...Object.keys(given), `${text}\nreturn ${result};`)(...Object.values(given));

/** A function that opens hubs as the package's own does, and closes them with the test. */
function openHubs(t) {
  const opened = [];
  const servers = [];
  t.after(async () => {
    for (const hub of opened) await hub.close({ graceMs: 100 });
    for (const server of servers) if (server.listening) await closeServer(server);
  });
  return {
    opened,
    newServer: () => servers[servers.push(http.createServer()) - 1],
    setupRoomWebSocketServer: (...args) => {
      opened.push(setupRoomWebSocketServer(...args));
      return opened.at(-1);
    },
  };
}

const up = async hub => assert.deepEqual(await nextEvent(hub, 'cluster'), ['up']);

describe('several processes', needsRedis, () => {
  const processOf = (redis, env) => ({ env: { REDIS_URL: redis.url, ...env } });
  const setUps = {
    'the README': codeIn('README.md', 'Several processes', 'js', 0),
    'deploy.md': codeIn('docs/deploy.md', 'One process or several', 'js', 0),
    'scale.md': code('Setting it up'),
    'scale.md, pm2': code('How many processes', 1),
  };

  for (const [name, text] of Object.entries(setUps)) {
    it(`are one hub, as ${name} sets it up`, async t => {
      const redis = await startRedis(t);
      const own = openHubs(t);
      const [here, there] = [own.newServer(), own.newServer()];
      const wired = text.replace('redis://127.0.0.1:6379', redis.url);
      for (const server of [here, there]) {
        runBlock(wired, { ...own, server, process: processOf(redis) });
      }
      await Promise.all(own.opened.map(up));
      const port = await listen(there);
      const road = { url: `ws://127.0.0.1:${port}/ws/rooms`, clients: [] };
      const client = await connect(road);
      t.after(() => client.terminate());
      await client.join(1);
      own.opened[0].broadcastParticipantCount(1, 25, 50);
      assert.equal((await client.nextMessage()).currentParticipants, 25);
    });
  }

  it('have a port each where they listen by themselves', async t => {
    const redis = await startRedis(t);
    const first = (await freePort()) - 1;
    const text = substitute(code('How many processes', 2), [['4000', String(first)]]);
    const own = openHubs(t);
    const given = { ...own, process: processOf(redis, { NODE_APP_INSTANCE: '1' }) };
    runBlock(text, given);
    assert.equal(own.opened[0].address().port, first + 1);
    await up(own.opened[0]);
  });

  it('are two under pm2, or more', () => {
    const module = { exports: {} };
    runBlock(code('How many processes'), { module });
    const [{ script, exec_mode, instances, kill_timeout }] = module.exports.apps;
    assert.ok(fs.existsSync(path.join(root, 'examples/bot', script)));
    assert.equal(exec_mode, 'cluster');
    assert.ok(instances > 1 && kill_timeout > 5_000);
  });

  it('may be several clusters, by the hash of a room', async t => {
    const redis = await startRedis(t);
    const own = openHubs(t);
    const env = { REDIS_URLS: `${redis.url}/0 ${redis.url}/1` };
    const room = { roomId: 'lobby', current: 3, max: 50 };
    const given = { ...own, server: own.newServer(), process: { env }, ...room };
    const { hubs, hubOf } = runBlock(
      code(ON_PAPER),
      // Node has it from 20.15 on, and the document lets it be any.
      { ...given, crc32: zlib.crc32 ?? (text => text.length) },
      '{ hubs, hubOf }',
    );
    assert.equal(hubs.length, 2);
    const other = hubs.find(hub => hub !== hubOf('lobby'));
    await until(() => hubOf('lobby').getRoomState('lobby'), 'the count');
    assert.equal(hubOf('lobby').getRoomState('lobby').currentParticipants, 3);
    assert.equal(other.getRoomState('lobby'), undefined);
  });

  it('tell operators what they see', async t => {
    const redis = await startRedis(t);
    const { hub, ...server } = await startServer(t, { cluster: { url: redis.url } });
    const lines = [];
    const console = { warn: line => lines.push(line) };
    runBlock(code('What operators see'), { rooms: hub, console });
    await until(() => lines.length === 1, 'the first state');
    await (await connect(server)).join(1);
    hub.broadcastParticipantCount(1, 25, 50);
    await until(async () => (await hub.getClusterClientCount(1)) === 1, 'the member');

    const looks = code('What operators see', 0, 'sh').split('\n');
    const answers = [];
    for (const look of looks) {
      const command = substitute(look, [['redis-cli ', `redis-cli -p ${redis.port} `]]);
      answers.push((await run('sh', ['-c', command])).stdout.trim().split('\n'));
    }
    const [processes, room, members, subscribed] = answers;
    assert.equal(processes.length, 2);
    for (const field of ['run', 'epoch', 'seq']) assert.ok(room.includes(field), `${room}`);
    assert.deepEqual([members.length, members[1]], [2, '1']);
    assert.deepEqual(subscribed, ['roomcast:room:{1}', '1']);

    redis.pause();
    await until(() => lines.length === 2, 'away');
    redis.resume();
    await until(() => lines.length === 3, 'up');
    assert.deepEqual(lines, ['Redis is up', 'Redis is away', 'Redis is up']);
    const known = text =>
      text.replace(/at \S+:\d+ is/, 'at HERE is').replace(/after [\d.]+ s:/, 'after a while:');
    assert.deepEqual(
      server.log.map(({ message }) => known(message)),
      code('What operators see', 0, 'text').split('\n').map(known),
    );
  });

  it('serve their metrics, each its own', async t => {
    const redis = await startRedis(t);
    const { hub } = await startServer(t, { cluster: { url: redis.url } });
    const first = (await freePort()) - 1;
    const servers = [];
    const text = substitute(code('What operators see', 1), [['9400', String(first)]]);
    runBlock(text, {
      http: { createServer: serve => servers[servers.push(http.createServer(serve)) - 1] },
      rooms: hub,
      process: processOf(redis, { NODE_APP_INSTANCE: '1' }),
    });
    const [server] = servers;
    t.after(() => closeServer(server));
    if (!server.listening) await nextEvent(server, 'listening');
    const metrics = await (await fetch(`http://127.0.0.1:${first + 1}/`)).text();
    assert.match(metrics, /^roomcast_cluster_up [01]$/m);

    // Whatever a document calls a metric is one.
    const names = new Set(metrics.match(/^roomcast_\w+/gm));
    const alarms = code('What operators see', 0, 'yaml').match(/\broomcast_\w+/g);
    const words = documents
      .flatMap(wordsOf)
      .flatMap(word => word.match(/^roomcast_[a-z_]+/g) ?? []);
    assert.ok(alarms.length > 3 && words.length > 10);
    for (const name of [...alarms, ...words]) {
      assert.ok(names.has(name) || names.has(`${name}_count`), name);
    }
  });
});

describe('what nginx is given for several', needsNginx, () => {
  const blocks = [code('How many processes', 0, 'nginx'), code(ON_PAPER, 0, 'nginx')];

  for (const [nth, block] of blocks.entries()) {
    it(`is taken by it: ${nth + 1}`, t => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-upstream-'));
      t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
      const file = path.join(folder, 'nginx.conf');
      const check = upstream => {
        const server = 'server { listen 127.0.0.1:1; location / { proxy_pass http://rooms; } }';
        fs.writeFileSync(
          file,
          `pid ${folder}/pid;\nevents {}\nhttp {\naccess_log off;\n${upstream}\n${server}\n}`,
        );
        const { status, stderr } = spawnSync(
          'nginx',
          ['-t', '-p', folder, '-c', file, '-e', `${folder}/error.log`],
          { encoding: 'utf8', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } },
        );
        return { status, stderr };
      };
      const { status, stderr } = check(block);
      assert.equal(status, 0, stderr);
      assert.doesNotMatch(stderr, /\[(warn|emerg|alert)\]/);
      assert.notEqual(check(block.replace('server ', 'sever ')).status, 0);
    });
  }
});
