// One client's view of one room, held to docs/protocol.md: the updates of a room arrive in order,
// each once; a join says where the stream goes on; a gap is there only where the client had stopped
// reading.

import { newestWithCounts, numberOf } from '../numbering.mjs';

/**
 * What all clients of a process have learned of the numbering of epochs: within one epoch of a room,
 * an update's own number and its `seq` are always equally far apart.
 */
export class Ledger {
  #offsets = new Map();
  /** Older ones are not met again. */
  static EPOCHS = 100;

  /** The distance in an epoch of a room, where an update of it was seen. */
  offset(roomId, epoch) {
    return this.#offsets.get(roomId)?.get(epoch);
  }

  /** Whether an update agrees with what is known, which the first of an epoch settles. */
  agrees(roomId, epoch, offset) {
    const ofRoom = this.#offsets.get(roomId) ?? new Map();
    this.#offsets.set(roomId, ofRoom);
    if (!ofRoom.has(epoch)) {
      ofRoom.set(epoch, offset);
      if (ofRoom.size > Ledger.EPOCHS) ofRoom.delete(ofRoom.keys().next().value);
    }
    return ofRoom.get(epoch) === offset;
  }
}

export class RoomStream {
  /** Where a client that comes back goes on. */
  lastSeq;
  epoch;
  member = false;
  /** The number of the newest update, where one has come since the stream began. */
  #number;
  /** Whether a snapshot has to come next, or may, or must not. */
  #snapshot = 'none';
  #roomId;
  #history;
  #ledger;
  #tally;

  constructor(roomId, { history, ledger, tally }) {
    this.#roomId = roomId;
    this.#history = history;
    this.#ledger = ledger;
    this.#tally = tally;
  }

  /** The fields of a join that goes on where this stream is. */
  get place() {
    return this.epoch === undefined ? {} : { lastSeq: this.lastSeq, epoch: this.epoch };
  }

  /**
   * Takes ROOM_JOINED in.
   *
   * @param {object} message
   * @param {object} request The JOIN_ROOM that it answers.
   * @param {boolean} mayGap Whether the client had stopped reading.
   */
  joined(message, request, mayGap) {
    const { seq, epoch, recovered } = message;
    const asked = request.epoch !== undefined;
    if (asked !== (recovered !== undefined)) this.#fault('recovered is there or not', message);
    if (recovered === true) {
      if (this.member) this.#fault('a replay to a member', message);
      if (seq !== request.lastSeq || epoch !== request.epoch) {
        this.#fault('recovered to another place', message);
      }
      this.#tally.recovered += 1;
      this.#snapshot = 'none';
    } else {
      if (this.member) this.#joinedAgain(message, mayGap);
      else this.#beginAnew(message, request);
      // The first update of an epoch may be one without counts.
      this.#snapshot = seq === 0 ? 'none' : seq === 1 ? 'may' : 'must';
    }
    this.member = true;
    [this.lastSeq, this.epoch] = [seq, epoch];
  }

  /** One membership, answered twice: all that came before the answer has arrived before it. */
  #joinedAgain(message, mayGap) {
    const { seq, epoch } = message;
    if (epoch !== this.epoch) {
      // What is missing of the epoch before, the next update's number shows.
      if (seq > 0 && !mayGap) this.#fault('a new epoch without its first updates', message);
      return;
    }
    const gap = seq - this.lastSeq;
    if (gap < 0) return this.#fault('the counter went back', message);
    if (gap === 0) return;
    if (mayGap) this.#tally.conflated += gap;
    else this.#miss(gap, message);
    if (this.#number !== undefined) this.#number += gap;
  }

  #beginAnew({ seq, epoch }, request) {
    const offset = this.#ledger.offset(this.#roomId, epoch);
    this.#number = offset === undefined ? undefined : seq + offset;
    if (request.epoch === undefined) return;
    this.#tally.beyondRecovery += 1;
    const behind = seq - request.lastSeq;
    if (epoch === request.epoch && behind >= 0 && behind <= this.#history) {
      this.#fault('not recovered, though held', { seq, epoch, request });
    }
  }

  /** Takes ROOM_UPDATE in. */
  update(message, mayGap) {
    if (!this.member) return this.#fault('an update of a room that was left', message);
    const number = numberOf(message);
    if (number === undefined) return this.#fault('an update with wrong counts', message);
    if (this.#isSnapshot(message)) return this.#takeSnapshot(message, number);
    if (this.#snapshot === 'must' && !mayGap) this.#fault('no snapshot', message);
    this.#snapshot = 'none';
    this.#tally.delivered += 1;
    const renewed = message.epoch !== undefined && message.epoch !== this.epoch;
    const expected = renewed ? 1 : this.lastSeq + 1;
    const { seq } = message;
    if (renewed) this.epoch = message.epoch;
    if (!this.#ledger.agrees(this.#roomId, this.epoch, number - seq)) {
      this.#fault('another number for the same seq', message);
    }
    // The bot's own number counts through epochs, so it shows also what was lost at an epoch's end.
    const gap = this.#number === undefined ? seq - expected : number - this.#number - 1;
    if (gap < 0) {
      this.#tally.duplicates += 1;
      return this.#fault('an update twice', message);
    }
    if (gap > 0 && mayGap) this.#tally.conflated += gap;
    else if (gap > 0) this.#miss(gap, message);
    else if (seq !== expected) this.#fault('a gap in seq where no update is missing', message);
    [this.lastSeq, this.#number] = [seq, number];
  }

  #isSnapshot({ event, seq, epoch }) {
    return (
      this.#snapshot !== 'none' &&
      event === 'PARTICIPANT_COUNT_UPDATED' &&
      seq === this.lastSeq &&
      epoch === this.epoch
    );
  }

  /** It shows the newest counts that there were at the join. */
  #takeSnapshot(message, number) {
    this.#snapshot = 'none';
    const offset = this.#ledger.offset(this.#roomId, this.epoch);
    if (offset !== undefined && number !== newestWithCounts(message.seq + offset)) {
      this.#fault('a snapshot with old counts', message);
    }
  }

  /**
   * Whether all that the bot has sent by now is here.
   *
   * @param {{ number: number, seq: number, epoch: string }} truth The bot's.
   */
  isAt({ number, seq, epoch }) {
    return this.member && this.#number === number && this.lastSeq === seq && this.epoch === epoch;
  }

  /** Counts what has not come, where nothing comes any more. */
  settle(truth) {
    if (this.isAt(truth)) return;
    const behind = truth.number - (this.#number ?? truth.number - 1);
    this.#miss(Math.max(1, behind), { truth, lastSeq: this.lastSeq, epoch: this.epoch });
  }

  left() {
    this.member = false;
    this.#snapshot = 'none';
  }

  #miss(count, message) {
    this.#tally.missing += count;
    this.#fault('a gap', message);
  }

  #fault(what, message) {
    const { pad, ...shown } = message;
    const { lastSeq, epoch } = this;
    const at = { room: this.#roomId, lastSeq, epoch, number: this.#number };
    this.#tally.fault(what, JSON.stringify({ at, message: shown }));
  }
}
