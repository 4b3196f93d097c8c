'use strict';

// A bot that has no descriptor left: whoever is connected goes on, who comes is told to come again
// or waits, and all is well once there are some. The bot says what it means, and does not burn its
// processor meanwhile.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');
const { aftermath } = require('./support/aftermath');
const { connect, dial } = require('./support/client');
const { runProgram } = require('./support/program');
const { openRaw, upgradeRequest } = require('./support/raw');

/** Enough for Node itself and a hub. */
const DESCRIPTORS = 128;

/** For how long the bot's threads are looked at. */
const WATCHED_MS = 1_000;

const limited = { skip: process.platform === 'win32' && 'there is no limit of descriptors' };

/** The bot, and a client that is in and tells it what to do. */
async function startCrowded(t, settings) {
  aftermath(t);
  const program = runProgram(t, 'crowded-bot.js', settings, { descriptors: DESCRIPTORS });
  const { pid } = await program.nextLine();
  const { port } = await program.nextLine();
  const secure = settings.form === 'https';
  const server = { port, secure, clients: [] };
  server.url = `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}/ws/rooms`;
  t.after(() => {
    for (const client of server.clients) client.terminate();
  });
  const director = await connect(server, { userId: 'director' });
  const tell = command => director.join(command);
  return { program, pid, server, director, tell };
}

/** Has the bot stop, which answers nobody any more; gives its lines until it has. */
async function stop({ program, director }) {
  director.send({ action: 'JOIN_ROOM', roomId: 'stop' });
  const lines = [];
  do lines.push(await program.nextLine());
  while (lines.at(-1).reached === undefined);
  return lines;
}

/** A fresh client is served; then the bot stops, gives back what it had, and ends by itself. */
async function assertWell(crowded) {
  const { program, server } = crowded;
  const fresh = await connect(server, { userId: 'fresh' });
  assert.deepEqual(await fresh.settle(), []);
  fresh.terminate();
  const line = (await stop(crowded)).at(-1);
  assert.deepEqual(line, { reached: [] });
  const { code, signal, complaints } = await program.exited;
  assert.deepEqual({ code, signal, complaints }, { code: 0, signal: null, complaints: '' });
}

/** Processor time of the hub's threads so far, in the ticks of proc(5), 100 to the second. */
function ticksOf(pid) {
  const tasks = `/proc/${pid}/task`;
  const stats = fs.readdirSync(tasks).map(task => fs.readFileSync(`${tasks}/${task}/stat`, 'utf8'));
  const ofHub = stats.filter(stat => stat.includes('(roomcast-'));
  assert.ok(ofHub.length > 0, 'threads of the hub');
  const ticks = ofHub.map(stat => {
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    return Number(user) + Number(system);
  });
  return ticks.reduce((sum, count) => sum + count);
}

describe('without descriptors, standalone', limited, () => {
  it('newcomers wait and the others are served, until there are some again', async t => {
    const crowded = await startCrowded(t, { form: 'standalone' });
    const { program, server, director, tell } = crowded;
    await tell('leave 0');
    const waiting = [];
    for (let count = 0; count < 5; count += 1) waiting.push(dial(server));
    const line = await program.nextLine();
    assert.equal(line.level, 'warn');
    assert.match(line.message, /cannot be accepted.*Too many open files/);
    assert.deepEqual(await director.settle(), []);
    for (const client of waiting) assert.deepEqual(client.received, []);

    await tell('free');
    for (const client of waiting) {
      assert.equal((await client.nextMessage()).type, 'CONNECTION_ESTABLISHED');
    }
    await assertWell(crowded);
  });

  it('accepting rests, and the log is not filled', {
    skip: process.platform !== 'linux' && 'there is no /proc',
  }, async t => {
    const threads = 2;
    const crowded = await startCrowded(t, { form: 'standalone', threads });
    const { program, pid, server, tell } = crowded;
    await tell('leave 0');
    const waiting = dial(server);
    await program.nextLine();
    const before = ticksOf(pid);
    await new Promise(resolve => setTimeout(resolve, WATCHED_MS));
    const ticks = ticksOf(pid) - before;
    assert.ok(ticks < 10, `${ticks} ticks of processor time in a second of doing nothing`);
    await tell('free');
    await waiting.nextMessage();
    const lines = await stop(crowded);
    // One of each thread, now and then; tries there were ten a second.
    assert.ok(lines.length - 1 <= threads, JSON.stringify(lines));
  });
});

for (const authenticate of [false, true]) {
  const how = authenticate ? 'with a hook' : 'without a hook';
  describe(`without a descriptor for the handover, ${how}`, limited, () => {
    it('newcomers get 503 and the others are served, until there are some again', async t => {
      const crowded = await startCrowded(t, { form: 'http', authenticate });
      const { program, server, director, tell } = crowded;
      for (let time = 0; time < 3; time += 1) {
        // Node takes the last one.
        await tell('leave 1');
        const raw = await openRaw(server);
        raw.write(upgradeRequest());
        const { status, headers } = await raw.response();
        assert.equal(status, 503);
        assert.match(headers['retry-after'], /^\d+$/);
        await raw.closed;
        const lines = [await program.nextLine()];
        if (authenticate) lines.push(await program.nextLine());
        const [line] = lines.filter(({ level }) => level !== undefined);
        assert.equal(line.level, 'error');
        assert.match(line.message, /the socket cannot be taken over: Too many open files/);
        if (authenticate) assert.ok(lines.some(({ abandoned }) => abandoned === 'raw'));
        assert.deepEqual(await director.settle(), []);
        await tell('free');
      }
      await assertWell(crowded);
    });
  });
}

describe('without descriptors', limited, () => {
  it('a relayed connection needs none beside that of Node', async t => {
    const crowded = await startCrowded(t, { form: 'https' });
    await crowded.tell('leave 1');
    const client = await connect(crowded.server, { userId: 'last' });
    assert.deepEqual(await client.settle(), []);
    await crowded.tell('free');
    await assertWell(crowded);
  });

  it('no hub opens, which says so and leaves nothing', async t => {
    const crowded = await startCrowded(t, { form: 'http' });
    await crowded.tell('open hubs');
    const { opened } = await crowded.program.nextLine();
    assert.equal(opened.pop(), 'open');
    assert.ok(opened.length > 2, `${opened.length} attempts failed`);
    for (const message of opened) assert.match(message, /too many open files/i);
    await assertWell(crowded);
  });
});
