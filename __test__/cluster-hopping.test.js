'use strict';

// A client that hops between three processes while all of them broadcast. However its joins and the
// updates fall together, it finds each update once and in order, or, where it was away for longer
// than the history reaches, a snapshot from which it goes on. So many hops take some seconds.

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { startFleet } = require('./support/fleet');
const { GENEROUS } = require('./support/fleet-clients');
const { Hopper } = require('./support/hopper');
const { needsRedis, startRedis } = require('./support/redis');
const { startRedisCluster } = require('./support/redis-cluster');
const { sequence } = require('./support/sequence');

const HISTORY = 64;

const RUNS = [
  { on: 'a Redis server', start: startRedis, hops: 1_000, updates: 20_000 },
  { on: 'a Redis Cluster', start: startRedisCluster, hops: 200, updates: 4_000 },
];

/** One hop in so many is an absence about as long as the history, or longer. */
const LONG_EVERY = 10;
const SHORT = 10;
const LONG = { from: 50, to: 170 };

/**
 * Beside the main room there is each time another of these: by the time that the client comes back to
 * one, its process has mostly let go of it.
 */
const SIDE_ROOMS = 150;
const SIDE_UPDATES = 2;

const MAIN = 'main';

/** What is broadcast: every update has a name of its own, and its number among its sender's. */
class Broadcasts {
  #members;
  #sent;
  #turn = 0;
  #under = [];
  /** How many have been sent, by room. */
  total = new Map();

  constructor(members) {
    this.#members = members;
    this.#sent = members.map(() => 0);
  }

  /** Has so many updates of a room broadcast, by turns, without waiting for it. */
  send(roomId, count) {
    const calls = this.#members.map(() => []);
    for (let n = 0; n < count; n += 1) {
      this.#turn = (this.#turn + 1) % calls.length;
      this.#sent[this.#turn] += 1;
      const number = this.#sent[this.#turn];
      calls[this.#turn].push([roomId, `${this.#turn}:${number}`, number, number + 1, 'join']);
    }
    for (const [n, each] of calls.entries()) {
      if (each.length > 0) {
        this.#under.push(this.#members[n].callEach('broadcastRoomUpdate', each));
      }
    }
    this.total.set(roomId, (this.total.get(roomId) ?? 0) + count);
  }

  /** All are handed over. */
  async settle() {
    for (const results of await Promise.all(this.#under.splice(0))) {
      assert.ok(results.every(taken => taken === true));
    }
  }
}

/** All updates of the main room are there, those of each process in their order. */
function assertComplete(texts, updates, processes) {
  assert.equal(texts.size, updates);
  const reached = Array.from({ length: processes }, () => 0);
  for (let seq = 1; seq <= updates; seq += 1) {
    const [sender, number] = JSON.parse(texts.get(seq)).participantName.split(':').map(Number);
    assert.ok(number > reached[sender], `${number} of process ${sender} after ${reached[sender]}`);
    reached[sender] = number;
  }
}

/** The hopper has seen what the witness has, by both ways; `t` is told how often by which. */
function assertAgrees(t, hopper, texts) {
  const main = hopper.stream(MAIN);
  for (const [seq, text] of main.seen) assert.equal(text, texts.get(seq));
  for (const { seq, current } of main.snapshots) {
    assert.equal(current, JSON.parse(texts.get(seq)).currentParticipants);
  }
  const sides = hopper.streams.filter(stream => stream !== main);
  for (const [title, streams] of [
    ['the main room', [main]],
    ['the side rooms', sides],
  ]) {
    const sum = kind => streams.reduce((all, stream) => all + stream[kind], 0);
    t.diagnostic(`${title}: ${sum('recovered')} joins recovered, ${sum('anew')} too late for it`);
    assert.ok(sum('recovered') > 0);
  }
  assert.ok(main.anew > 0);
}

/** What a stay on one process is ended by. */
const STAYS = ['the request', 'the answer', 'the next update', 'all updates', 'all updates'];

function stay(hopper, kind, rooms, broadcasts) {
  const { total } = broadcasts;
  const stream = hopper.stream(MAIN);
  const at = stream.lastSeq;
  const isJoined = () => rooms.every(roomId => hopper.joined.has(roomId));
  const isThere = () =>
    isJoined() && rooms.every(roomId => hopper.stream(roomId).lastSeq === (total.get(roomId) ?? 0));
  const reached = roomId => `${hopper.stream(roomId).lastSeq} of ${total.get(roomId)} of ${roomId}`;
  const what = () => `${kind}; seen ${rooms.map(reached).join(', ')}`;
  if (kind === 'the request') return undefined;
  if (kind === 'the answer') return hopper.until(isJoined, what);
  if (kind === 'all updates') return hopper.until(isThere, what);
  return hopper.until(() => isThere() || (isJoined() && stream.lastSeq > at), what);
}

/** A client that stays where it is and sees all of the main room, from its first update on. */
async function startWitness(member) {
  const witness = new Hopper('witness', HISTORY);
  await witness.open(member);
  witness.join(MAIN);
  await witness.until(
    () => witness.joined.has(MAIN),
    () => 'the witness',
  );
  return witness;
}

async function run(t, redis, { hops, updates }) {
  const options = { history: HISTORY, maxRoomsPerConnection: 1_000, ...GENEROUS };
  const members = await startFleet(t, 3, redis, options);
  const broadcasts = new Broadcasts(members);
  const { total } = broadcasts;
  const witness = await startWitness(members[0]);
  const seen = witness.stream(MAIN);
  const untilSeen = () =>
    witness.until(
      () => seen.lastSeq === (total.get(MAIN) ?? 0),
      () => `${total.get(MAIN)} updates, the witness has ${seen.lastSeq}`,
    );
  const next = sequence(11);
  const hopper = new Hopper('hopper', HISTORY);

  for (let hop = 1; hop <= hops; hop += 1) {
    const isLong = hop % LONG_EVERY === 0;
    let left = updates - (total.get(MAIN) ?? 0);
    if (hop < hops) left = Math.min(left, isLong ? LONG.from + next(LONG.to - LONG.from) : SHORT);
    /** A share of this hop's updates, at some moment of it. */
    const send = share => {
      const count = Math.ceil(left * share);
      broadcasts.send(MAIN, count);
      left -= count;
    };
    const rooms = [MAIN, `side ${hop % SIDE_ROOMS}`];

    send(isLong ? 1 : 1 / 3);
    broadcasts.send(rooms[1], SIDE_UPDATES);
    if (isLong) await untilSeen();
    await hopper.open(members[next(members.length)]);
    send(1 / 2);
    for (const roomId of rooms) hopper.join(roomId);
    send(1);
    await stay(hopper, STAYS[next(STAYS.length)], rooms, broadcasts);
    hopper.leave(next(2) === 0);
    await broadcasts.settle();
  }

  // Whatever the last stay had left out, all of it is there in the end.
  const rooms = [...total.keys()];
  await hopper.open(members[0]);
  for (const roomId of rooms) hopper.join(roomId);
  await stay(hopper, 'all updates', rooms, broadcasts);
  await untilSeen();

  assertComplete(seen.seen, updates, members.length);
  assertAgrees(t, hopper, seen.seen);
}

for (const { on, start, hops, updates } of RUNS) {
  it(`${hops} hops on ${on} during ${updates} updates`, needsRedis, async t => {
    await run(t, await start(t), { hops, updates });
  });
}
