'use strict';

const assert = require('node:assert/strict');
const { connect } = require('./client');
const { until } = require('./wait');

/**
 * A client's view of one room, held against what the protocol says of its numbers while it comes: a
 * seq grows by one within an epoch and is never used twice, an update of a new epoch says which, and
 * no update comes twice, whatever has become of the numbers meanwhile.
 *
 * Updates are told apart by `participantName`, which a test uses once, and their counts are in
 * `currentParticipants`. A message `PARTICIPANT_COUNT_UPDATED` with an epoch is a snapshot, and one
 * without an update by which a hub has given the state to Redis: tests that use a witness send no such
 * updates themselves.
 */
class Witness {
  #roomId;
  /** The highest seq seen of each epoch. */
  #reached = new Map();
  /** The epoch that each update came in. @type {Map<string, string>} */
  #known = new Map();

  /** What came against the rules, in words. */
  faults = [];
  /** Names of updates that came again in another epoch. */
  repeated = [];
  /** Names of the updates, in the order in which they came. */
  names = [];
  /** Snapshots, and updates that told a new epoch: `{ kind, epoch, seq, current }`. */
  turns = [];
  /** Answers to JOIN_ROOM, parsed. */
  joins = [];
  /** Where the client stands. */
  epoch;
  seq;
  /** Counts of the newest update or snapshot. */
  current;

  /**
   * @param {import('./client').RoomClient} client that has not joined yet
   * @param {number | string} roomId
   */
  constructor(client, roomId) {
    this.client = client;
    this.#roomId = roomId;
    client.ws.on('message', bytes => this.#see(JSON.parse(bytes.toString())));
  }

  #see(message) {
    if (message.roomId !== this.#roomId) return;
    if (message.type === 'ROOM_JOINED') {
      this.joins.push(message);
      this.#stand(message.epoch, message.seq);
    } else if (message.type === 'ROOM_UPDATE') {
      if (message.epoch === undefined) this.#follow(message);
      else this.#turn(message);
      this.current = message.currentParticipants;
    }
  }

  #turn(message) {
    const { event, epoch, seq, currentParticipants: current } = message;
    const isSnapshot = event === 'PARTICIPANT_COUNT_UPDATED';
    this.turns.push({ kind: isSnapshot ? 'snapshot' : 'update', epoch, seq, current });
    const reached = this.#reached.get(epoch) ?? 0;
    if (isSnapshot ? seq < reached : seq <= reached) {
      this.#fault(`${seq} in the epoch ${epoch}, which had reached ${reached}`, message);
    }
    if (!isSnapshot) {
      if (epoch === this.epoch) this.#fault('an epoch that was no news', message);
      this.#note(message);
    }
    this.#stand(epoch, seq);
  }

  #follow(message) {
    if (message.seq !== this.seq + 1) {
      this.#fault(`${message.seq} behind ${this.seq} of ${this.epoch}`, message);
    }
    this.#note(message);
    this.#stand(this.epoch, message.seq);
  }

  #note(message) {
    const name = message.participantName;
    if (name === undefined) return;
    const epoch = message.epoch ?? this.epoch;
    if (this.#known.get(name) === epoch) this.#fault(`${name} came twice`, message);
    else if (this.#known.has(name)) this.repeated.push(name);
    this.#known.set(name, epoch);
    this.names.push(name);
  }

  #stand(epoch, seq) {
    this.epoch = epoch;
    this.seq = seq;
    this.#reached.set(epoch, Math.max(seq, this.#reached.get(epoch) ?? 0));
  }

  #fault(what, message) {
    this.faults.push(`${what}: ${JSON.stringify(message)}`);
  }
}

/** Connects to a bot and joins a room there; resolves when ROOM_JOINED is here. */
async function watch(member, roomId, { userId = 'witness', ...fields } = {}) {
  const client = await connect(member, { userId });
  const witness = new Witness(client, roomId);
  await client.join(roomId, fields);
  return witness;
}

/** Waits until each witness has got the updates of these names, or of the one. */
function untilAllSaw(witnesses, names) {
  const missing = witness => [names].flat().filter(name => !witness.names.includes(name));
  return until(
    () => witnesses.every(witness => missing(witness).length === 0),
    () =>
      witnesses.map(witness => `${missing(witness)}; it shows ${stand(witness)}`).join(', and of '),
  );
}

/** The newest updates that each witness has got are these, in one order, which calls of several bots do not settle. */
function assertNewest(witnesses, names) {
  const newest = witnesses.map(witness => witness.names.slice(-names.length));
  assert.deepEqual([...newest[0]].sort(), [...names].sort());
  for (const other of newest) assert.deepEqual(other, newest[0]);
}

/** Waits until the counts that each witness has seen last are these. */
function untilAllShow(witnesses, current) {
  return until(
    () => witnesses.every(witness => witness.current === current),
    () => `counts of ${current}; the witnesses: ${witnesses.map(stand).join(', ')}`,
  );
}

/** Nothing has come against the rules, and all stand at the same place. */
function assertAgree(witnesses) {
  assertFaultless(witnesses);
  const [first, ...others] = witnesses.map(({ epoch, seq, current }) => ({ epoch, seq, current }));
  for (const other of others) assert.deepEqual(other, first);
}

/** Nothing has come against the rules, and nothing twice. */
function assertFaultless(witnesses) {
  for (const { faults, repeated } of witnesses) assert.deepEqual([faults, repeated], [[], []]);
}

const stand = ({ epoch, seq, current, names }) =>
  `${current} at ${seq} of ${epoch} after ${names.length} updates`;

module.exports = {
  Witness,
  assertAgree,
  assertFaultless,
  assertNewest,
  untilAllSaw,
  untilAllShow,
  watch,
};
