'use strict';

// The bot in small, as `npm start` runs it: a process of its own that is asked over HTTP and
// WebSocket.

const assert = require('node:assert/strict');
const http = require('node:http');
const { it } = require('node:test');
const { startBot } = require('./support/bot');
const { RoomClient, connect } = require('./support/client');
const { closeServer, listen } = require('./support/server');

const ada = { id: 'ada', firstName: 'Ada' };
const alan = { id: 'alan', firstName: 'Alan' };

it('shows a page at / and everything that the page asks for', async t => {
  const bot = await startBot(t);
  const page = await bot.get('/');
  assert.match(page.headers.get('content-type'), /^text\/html/);
  const html = await page.text();
  const assets = [...html.matchAll(/(?:href|src)="([^":]+)"/g)].map(match => match[1]);
  assert.deepEqual(assets, ['page.css', 'page.mjs']);
  for (const name of [...assets, 'live-rooms.mjs', 'room-card.mjs']) {
    const asset = await bot.get(name);
    assert.equal(asset.status, 200, name);
    // A browser runs no module that comes with another type.
    const type = name.endsWith('.css') ? /^text\/css/ : /^text\/javascript/;
    assert.match(asset.headers.get('content-type'), type, name);
    await asset.arrayBuffer();
  }
});

it('tells every page of a room who comes and goes', async t => {
  const bot = await startBot(t);
  const pages = [await connect(bot), await connect(bot)];
  for (const page of pages) {
    await page.join(1);
    const seeded = await page.nextMessage();
    assert.equal(seeded.event, 'PARTICIPANT_COUNT_UPDATED');
    assert.equal(seeded.currentParticipants, 0);
    assert.equal(seeded.maxParticipants, 50);
  }

  const joined = await bot.post('/api/rooms/1/join', { user: ada });
  assert.equal(joined.status, 200);
  assert.equal((await joined.json()).currentParticipants, 1);
  for (const page of pages) {
    const update = await page.nextMessage();
    assert.equal(update.event, 'USER_JOINED');
    assert.equal(update.participantName, 'Ada');
    assert.equal(update.currentParticipants, 1);
    assert.equal(update.availableSlots, 49);
  }

  await bot.post('/api/rooms/1/leave', { user: ada });
  for (const page of pages) {
    const update = await page.nextMessage();
    assert.equal(update.event, 'USER_LEFT');
    assert.equal(update.currentParticipants, 0);
  }
});

it('says nothing where nothing has changed', async t => {
  const bot = await startBot(t);
  const page = await connect(bot);
  await page.join(1);
  await page.nextMessage();
  await bot.post('/api/rooms/1/leave', { user: ada });
  for (const user of [ada, ada, alan]) await bot.post('/api/rooms/1/join', { user });
  for (const expected of ['Ada', 'Alan']) {
    const update = await page.nextMessage();
    assert.equal(update.event, 'USER_JOINED');
    assert.equal(update.participantName, expected);
  }
});

it('lets no more people in than a room holds', async t => {
  const bot = await startBot(t);
  for (const id of ['a', 'b', 'c', 'd']) {
    const answer = await bot.post('/api/rooms/4/join', { user: { id } });
    assert.equal(answer.status, 200);
  }
  const refused = await bot.post('/api/rooms/4/join', { user: alan });
  assert.equal(refused.status, 409);
  assert.deepEqual(await refused.json(), { error: 'Room is full' });
  assert.deepEqual(await (await bot.get('/api/rooms/4')).json(), {
    id: 4,
    name: 'Game night',
    currentParticipants: 4,
    maxParticipants: 4,
    isFull: true,
    availableSlots: 0,
  });
});

it('answers what is not there and who is not known', async t => {
  const bot = await startBot(t);
  assert.equal((await (await bot.get('/api/rooms')).json()).length, 4);
  assert.equal((await bot.get('/api/rooms/99')).status, 404);
  assert.equal((await bot.get('/api/rooms/lobby')).status, 404);
  assert.equal((await bot.post('/api/rooms/99/join', { user: ada })).status, 404);
  assert.equal((await bot.post('/api/rooms/1/join', {})).status, 401);
  assert.equal((await bot.post('/api/rooms/1/join', { user: { id: 7 } })).status, 401);
});

it('takes the next free port where its own is taken', async t => {
  const other = http.createServer();
  const taken = await listen(other);
  t.after(() => closeServer(other));
  const bot = await startBot(t, { port: taken });
  assert.ok(Number(new URL(bot.address).port) > taken, bot.address);
  assert.equal(bot.output[0], `Port ${taken} is taken, trying ${taken + 1}.`);
  assert.equal((await bot.get('/')).status, 200);
});

for (const signals of [['SIGTERM'], ['SIGINT'], ['SIGINT', 'SIGINT']]) {
  it(`tells its pages and ends by itself on ${signals.join(' and ')}`, async t => {
    const bot = await startBot(t);
    const page = new RoomClient(`${bot.url}?userId=u`);
    bot.clients.push(page);
    await page.nextMessage();
    for (const signal of signals) bot.kill(signal);
    assert.deepEqual(await page.closed, { code: 1001, reason: 'Server shutting down' });
    assert.deepEqual(await bot.exited(), { code: 0, signal: null });
  });
}
