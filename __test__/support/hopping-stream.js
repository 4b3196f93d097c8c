'use strict';

const assert = require('node:assert/strict');

/**
 * What one client sees of one room through many connections, held against the protocol while it
 * comes: a join that is recovered goes on where the client stood; one that is not has a snapshot of
 * its seq and goes on from there, and was right not to recover; nothing comes twice or out of order.
 *
 * Updates are `USER_JOINED`, so that a snapshot is told by its event.
 */
class HoppingStream {
  #history;
  /** What has to come next, before anything else of the room. */
  #awaits = 'nothing';
  epoch;
  lastSeq;
  /** The texts of the updates, by seq. */
  seen = new Map();
  /** What snapshots have shown: `{ seq, current }`. */
  snapshots = [];
  /** Joins that were recovered, and those that were not because too much was missed. */
  recovered = 0;
  anew = 0;

  /** @param {number} history how many updates the hubs hold */
  constructor(history) {
    this.#history = history;
  }

  /** Where the client stands, as JOIN_ROOM takes it. */
  get place() {
    return this.epoch === undefined ? {} : { lastSeq: this.lastSeq, epoch: this.epoch };
  }

  joined({ seq, epoch, recovered }) {
    assert.equal(this.#awaits, 'nothing', 'no snapshot came');
    if (this.epoch === undefined) assert.equal(recovered, undefined);
    else if (epoch !== this.epoch) {
      assert.deepEqual([this.lastSeq, recovered], [0, false], 'the epoch has changed');
    } else if (recovered) {
      assert.equal(seq, this.lastSeq, 'recovered to another place');
      this.recovered += 1;
    } else {
      assert.equal(recovered, false);
      assert.ok(
        seq - this.lastSeq > this.#history,
        `${this.lastSeq} was not recovered, though ${seq} was the newest`,
      );
      this.anew += 1;
    }
    if (!recovered) this.#awaits = seq > 0 ? 'a snapshot' : 'nothing';
    this.lastSeq = seq;
    this.epoch = epoch;
  }

  /** Takes an update in, or a snapshot. */
  update(message, text) {
    const { event, seq, epoch, currentParticipants: current } = message;
    if (event === 'PARTICIPANT_COUNT_UPDATED') {
      assert.equal(this.#awaits, 'a snapshot', text);
      assert.deepEqual({ seq, epoch }, { seq: this.lastSeq, epoch: this.epoch }, text);
      this.#awaits = 'nothing';
      this.snapshots.push({ seq, current });
      return;
    }
    assert.equal(this.#awaits, 'nothing', text);
    // A room that nobody has broadcast to has an epoch of its process; its first update tells which.
    if (epoch !== undefined) assert.deepEqual([this.lastSeq, seq], [0, 1], text);
    assert.equal(seq, this.lastSeq + 1, text);
    this.epoch = epoch ?? this.epoch;
    this.lastSeq = seq;
    assert.equal(this.seen.has(seq), false, text);
    this.seen.set(seq, text);
  }

  /** The connection is gone, with what was still to come. */
  gone() {
    this.#awaits = 'nothing';
  }
}

module.exports = { HoppingStream };
