'use strict';

// What a bot in another runtime than Node has to do for the pages that come to it. The pages are of this
// Node, the bot is a process of that runtime.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { RoomClient, connect, dial } = require('./client');
const { needs, pathOf } = require('./compat');
const { runProgram } = require('./program');
const { openSession, textFrame } = require('./raw');
const { FORMS } = require('./server');
const { until } = require('./wait');

const MB = 1024 * 1024;

/** Soon to be called slow, and soon given up. */
const IMPATIENT = { maxBufferedBytes: 16_384, slowTimeout: 500, closeTimeout: 500 };

/**
 * @param {import('node:test').TestContext} t
 * @param {string[]} runtime the command in front of the program's file
 * @param {object} settings of programs/told-bot.js
 */
async function startBot(t, runtime, { form, ...settings }) {
  const program = runProgram(t, 'told-bot.js', { form, ...settings }, { runtime });
  const { port, control } = await program.nextLine();
  const secure = form === 'https';
  const bot = {
    clients: [],
    port,
    secure,
    url: `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}/ws/rooms`,
    tell: async route => (await fetch(`http://127.0.0.1:${control}${route}`)).json(),
    exited: () => program.exited,
  };
  t.after(() => {
    for (const client of bot.clients) client.terminate();
  });
  return bot;
}

/** Waits until the bot has been told so much of its news. */
const heard = (bot, ...news) =>
  until(async () => {
    const { events } = await bot.tell('/told');
    return news.every(one => events.includes(one));
  }, `the bot to hear of ${news}`);

function liveAndLetGo(runtime, form) {
  it('serves pages from the handshake to the end, and ends by itself', async t => {
    const bot = await startBot(t, runtime(), { form });
    const [ada, ben] = [
      await connect(bot, { userId: 'ada' }),
      await connect(bot, { userId: 'ben' }),
    ];
    for (const client of [ada, ben]) await client.join(1);
    await heard(bot, 'connection ada', 'connection ben', 'join ada 1', 'join ben 1');

    assert.equal(await bot.tell('/update?room=1&name=Ada'), true);
    for (const client of [ada, ben]) {
      const { event, participantName, currentParticipants, seq } = await client.nextMessage();
      assert.deepEqual(
        [event, participantName, currentParticipants, seq],
        ['USER_JOINED', 'Ada', 25, 1],
      );
    }
    const status = JSON.parse(await ada.ask({ action: 'GET_ROOM_STATUS', roomId: 1 }));
    assert.equal(status.connectedClients, 2);

    await ben.close(1000);
    await heard(bot, 'disconnect ben 1000');
    await bot.tell('/close');
    assert.deepEqual(await ada.closed, { code: 1001, reason: 'Server shutting down' });
    const { code, complaints } = await bot.exited();
    assert.equal(code, 0, complaints);
    assert.equal(complaints, '');
  });

  it('asks the hooks', async t => {
    const bot = await startBot(t, runtime(), { form });
    const stranger = dial(bot, { userId: null });
    assert.equal((await stranger.closed).code, 1008);
    const known = await connect(bot, { userId: 'known' });
    const refused = JSON.parse(await known.ask({ action: 'JOIN_ROOM', roomId: 'closed' }));
    assert.equal(refused.error, 'Access denied to this room');
  });

  it('lets a page go that reads nothing, at a bounded cost, and hurts nobody else', async t => {
    const bot = await startBot(t, runtime(), { form, ...IMPATIENT });
    const witness = await connect(bot, { userId: 'witness' });
    await witness.join(1);
    const raw = await openSession(bot);
    for (const roomId of [1, 'filler']) {
      raw.write(textFrame({ action: 'JOIN_ROOM', roomId }));
      await raw.nextText();
    }
    raw.socket.pause();
    const { memory } = await bot.tell('/told');
    let most = 0;
    let updates = 0;
    await until(
      async () => {
        await bot.tell('/fill?count=10');
        await bot.tell(`/update?room=1&name=n${updates}`);
        assert.equal((await witness.nextMessage()).participantName, `n${updates}`);
        updates += 1;
        const { events, stats } = await bot.tell('/told');
        most = Math.max(most, stats.bufferedBytes);
        return events.some(one => one.startsWith('disconnect raw'));
      },
      () => `the end of the page that does not read; ${most} bytes waited at most`,
    );
    const { events, stats, memory: now } = await bot.tell('/told');
    assert.ok(events.includes('slow raw'));
    assert.equal(stats.openConnections, 1);
    t.diagnostic(`${updates} rounds, ${most} bytes waited, ${((now - memory) / MB).toFixed(1)} MB`);
    assert.ok(most < MB, `${most} bytes waited`);
  });

  it('ends with the process, whatever is under way', async t => {
    const bot = await startBot(t, runtime(), { form });
    const clients = [];
    for (let n = 0; n < 5; n += 1) clients.push(await connect(bot, { userId: `u${n}` }));
    for (const client of clients) client.send({ action: 'JOIN_ROOM', roomId: 1 });
    await bot.tell('/exit');
    for (const client of clients) await client.closed;
    const { code, complaints } = await bot.exited();
    assert.equal(code, 0, complaints);
  });
}

function serveBeside(runtime) {
  it('leaves all else on the port to the bot', async t => {
    const bot = await startBot(t, runtime(), {
      form: 'http',
      allowedOrigins: ['http://a.example'],
    });
    const origin = `127.0.0.1:${bot.port}`;
    assert.equal(await (await fetch(`http://${origin}/`)).text(), 'plain');
    const beside = new RoomClient(`ws://${origin}/beside`);
    bot.clients.push(beside);
    assert.equal(await beside.next(), 'beside');
    await assert.rejects(dial(bot, { origin: 'http://b.example' }).opened, /403/);
    await connect(bot, { origin: 'http://a.example' });
  });
}

function refuseOwnServer(runtime) {
  it("refuses a server of the runtime's own, and says what to do", async t => {
    const program = runProgram(t, 'own-server.mjs', {}, { runtime: runtime() });
    const { refused, message, goesOn } = await program.nextLine();
    assert.equal(refused, 'TypeError');
    assert.match(message, /make one by node:http, or .* pass \{ port \}/);
    assert.equal(goesOn, 'plain');
    assert.equal((await program.exited).code, 0);
  });
}

/**
 * The same tests for each runtime.
 *
 * @param {string} name as compat/ has it
 * @param {(binary: string) => string[]} command what stands in front of the program's file
 */
function describeRuntime(name, command) {
  const runtime = () => command(pathOf(name));
  for (const form of FORMS) {
    describe(`a bot in ${name}, ${form}`, needs(name), () => liveAndLetGo(runtime, form));
  }
  describe(`a bot in ${name}`, needs(name), () => {
    serveBeside(runtime);
    refuseOwnServer(runtime);
  });
}

module.exports = { describeRuntime };
