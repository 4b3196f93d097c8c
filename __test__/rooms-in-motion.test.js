'use strict';

// Joins, leaves, removals and closes that happen while updates are on their way, from clients and from
// the bot's own listeners and hooks, which broadcast in turn (uWebSockets, OSV-2020-1695: a
// subscription structure corrupted by what is done inside a publish). Whoever stays gets every update
// once and in order; whoever goes is in no list.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const WebSocket = require('ws');
const { startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { sequence } = require('./support/sequence');
const { until } = require('./support/wait');

const ROOMS = [1, 2, 'three'];

/** On one thread there are more in a room than it serves in one go, so that rounds are cut in two. */
const CROWDS = [
  { form: 'http', threads: 1, visitors: 240, moves: 6 },
  { form: 'http', threads: 4, visitors: 32, moves: 40 },
  { form: 'https', threads: 1, visitors: 150, moves: 6 },
  { form: 'https', threads: 4, visitors: 24, moves: 30 },
  { form: 'standalone', threads: 1, visitors: 240, moves: 6 },
  { form: 'standalone', threads: 4, visitors: 32, moves: 40 },
];

const GENEROUS = {
  messageRate: 1_000_000,
  messageBurst: 1_000_000,
  maxBufferedBytes: 64 * 1024 * 1024,
  slowTimeout: 600_000,
};

/** A bot that answers everything that happens in its rooms with updates, and some of it with the door. */
function makeBot() {
  const sent = new Map(ROOMS.map(roomId => [roomId, 0]));
  const next = sequence(7);
  const bot = {
    hub: undefined,
    sent,
    broadcast(roomId) {
      const number = sent.get(roomId) + 1;
      sent.set(roomId, number);
      assert.equal(bot.hub.broadcastRoomUpdate(roomId, { event: 'NUMBERED', number }), true);
    },
    onMove(client, roomId) {
      bot.broadcast(roomId);
      bot.hub.getStats();
      bot.hub.getClientCount(roomId);
      if (client.userId === 'watcher') return;
      const choice = next(24);
      if (choice === 0) client.close(4000, 'Out');
      else if (choice === 1) bot.hub.disconnectUser(client.userId, 4001, 'All of you');
      else if (choice <= 5) bot.hub.removeFromRoom(client.userId, roomId);
      bot.broadcast(ROOMS[next(ROOMS.length)]);
    },
    async authorizeJoin(client, roomId) {
      bot.onMove(client, roomId);
      // Some answers come at once, some when other things have happened.
      if (next(2) === 0) await new Promise(resolve => setImmediate(resolve));
      bot.broadcast(roomId);
      return client.userId === 'watcher' || next(8) !== 0;
    },
  };
  return bot;
}

/** Comes and goes, and comes back where it was sent away; gives all the clients that it was. */
async function visit(server, number, moves) {
  const next = sequence(number + 100);
  const userId = `visitor ${Math.floor(number / 2)}`;
  const clients = [];
  for (let move = 0; move < moves; move += 1) {
    if (clients.at(-1)?.ws.readyState !== WebSocket.OPEN) {
      clients.push(await connect(server, { userId }));
    }
    const client = clients.at(-1);
    const action = next(3) === 0 ? 'LEAVE_ROOM' : 'JOIN_ROOM';
    client.send({ action, roomId: ROOMS[next(ROOMS.length)] });
    await new Promise(resolve => setTimeout(resolve, next(10)));
    if (next(20) === 0) client.terminate();
  }
  return clients;
}

/**
 * Asserts that a client was sent every update of each of its stays, once and in order; gives the last
 * of each room that it is in. Leaving discards what is queued of a room, so an answer to a second join
 * that has the end of the stay behind it may be ahead of what has come.
 */
function assertWhole({ received }) {
  const last = new Map();
  const ahead = new Map();
  for (const message of received.map(text => JSON.parse(text))) {
    const { type, roomId, seq, number } = message;
    if (type === 'ROOM_JOINED') {
      if (last.has(roomId) && last.get(roomId) !== seq) ahead.set(roomId, seq);
      last.set(roomId, seq);
    } else if (type === 'ROOM_UPDATE') {
      assert.equal(
        ahead.get(roomId),
        undefined,
        'joined again, and updates are missing before that',
      );
      const expected = last.get(roomId) + 1;
      assert.deepEqual([seq, number], [expected, expected], JSON.stringify(message));
      last.set(roomId, seq);
    } else if (type === 'ROOM_LEFT' || type === 'ERROR') {
      // Who is denied a room is not in it any more.
      last.delete(roomId);
      ahead.delete(roomId);
    }
  }
  return last;
}

for (const { form, threads, visitors, moves } of CROWDS) {
  describe(`rooms in motion, ${form}, threads: ${threads}`, () => {
    it(`lose no member and no update of ${visitors} clients`, async t => {
      const bot = makeBot();
      const { authorizeJoin } = bot;
      const server = await startHostile(t, { form, threads, authorizeJoin, ...GENEROUS });
      const { hub } = server;
      bot.hub = hub;
      hub.on('join', bot.onMove);
      hub.on('leave', bot.onMove);
      hub.on('disconnect', client => bot.broadcast(ROOMS[client.id % ROOMS.length]));
      hub.on('connection', () => bot.broadcast(ROOMS[0]));

      const watcher = await connect(server, { userId: 'watcher' });
      for (const roomId of ROOMS) watcher.send({ action: 'JOIN_ROOM', roomId });
      await until(() => hub.getStats().totalConnections === ROOMS.length, 'the watcher is in');

      let going = true;
      const updates = (async () => {
        while (going) {
          for (const roomId of ROOMS) bot.broadcast(roomId);
          await new Promise(resolve => setTimeout(resolve, 5));
        }
      })();
      const visits = Array.from({ length: visitors }, (_, number) => visit(server, number, moves));
      const clients = (await Promise.all(visits)).flat();
      for (const client of clients) client.terminate();
      going = false;
      await updates;

      await until(() => hub.getStats().openConnections === 1, 'the end of all visitors');
      await until(
        () => ROOMS.every(roomId => hub.getClientCount(roomId) === 1),
        'rooms that are empty but for the watcher',
      );
      const { totalConnections, totalUsersTracked, activeRooms } = hub.getStats();
      assert.deepEqual([totalConnections, totalUsersTracked], [ROOMS.length, 1]);
      assert.equal(activeRooms.length, ROOMS.length);

      for (const client of clients) assertWhole(client);
      // Nobody moves any more: what the bot has sent is what has to be there.
      const isLast = ({ roomId, seq }) => seq === bot.sent.get(roomId);
      for (const roomId of ROOMS) {
        const ofRoom = message => message.roomId === roomId;
        await until(
          () => isLast(watcher.received.map(text => JSON.parse(text)).findLast(ofRoom)),
          () => `update ${bot.sent.get(roomId)} of room ${roomId}`,
        );
      }
      const last = assertWhole(watcher);
      assert.deepEqual([...last].sort(), [...bot.sent].sort());
      await watcher.close(1000);
      await until(() => hub.getStats().totalConnections === 0, 'empty rooms');
    });
  });
}
