'use strict';

// Clients of several bots that are in the same room.

const { connect } = require('./client');

/**
 * Options for bots whose clients take thousands of updates in one go: nothing is conflated, and
 * nothing is about rates.
 */
const GENEROUS = {
  maxBufferedBytes: 64 * 1024 * 1024,
  slowTimeout: 600_000,
  messageRate: 1_000_000,
  messageBurst: 1_000_000,
};

/** A client of a bot that is in a room, and has read all that a join brings. */
async function visit(member, roomId, options) {
  const client = await connect(member, options);
  client.joined = await client.join(roomId);
  await client.settle();
  return client;
}

/** A client of each bot, all of them in a room. */
function visitEach(members, roomId, options) {
  return Promise.all(members.map(member => visit(member, roomId, options)));
}

/** Comes back on a new connection: ROOM_JOINED, parsed, and the texts of all that follows. */
async function comeBack(member, roomId, place, options) {
  const client = await connect(member, options);
  const joined = await client.join(roomId, place);
  return { client, joined, following: await client.settle() };
}

/** A hub of this process, to be called like those of others. */
const called = ({ hub }) => ({ call: async (method, ...args) => hub[method](...args) });

/** Broadcasts from a bot, and waits until these clients have the update: its text. */
async function broadcast(member, clients, roomId, ...update) {
  if ((await member.call('broadcastRoomUpdate', roomId, ...update)) !== true) {
    throw new Error('no hub has taken the update');
  }
  const texts = await Promise.all(clients.map(client => client.next()));
  for (const text of texts) {
    if (text !== texts[0]) throw new Error(`not the same bytes:\n  ${text}\n  ${texts[0]}`);
  }
  return texts[0];
}

module.exports = { GENEROUS, broadcast, called, comeBack, visit, visitEach };
