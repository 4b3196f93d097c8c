// What the page knows of one room. The counts and names come from two sides, the HTTP API and the
// live updates, and both say by `epoch` and `seq` how new they are.

const COUNTS = ['currentParticipants', 'maxParticipants', 'isFull', 'availableSlots'];

export class Room {
  /** Whether the names may not be those of the people inside: the API knows them. */
  uncertain = false;

  /** @param answer a room of the API */
  constructor(answer) {
    this.id = answer.id;
    this.#take(answer);
  }

  /**
   * Takes an answer of the API, unless updates have told something newer since.
   *
   * @param answer a room of the API
   * @param epoch the room's epoch when the API was asked
   */
  take(answer, epoch) {
    const older = answer.epoch === this.epoch ? answer.seq < this.seq : answer.epoch === epoch;
    if (older) this.uncertain = true;
    else this.#take(answer);
  }

  /** Takes a ROOM_UPDATE. */
  apply(update) {
    const { seq, epoch = this.epoch, event, participantName } = update;
    const known = epoch === this.epoch;
    if (known && seq <= this.seq) return;
    const next = known && seq === this.seq + 1;
    this.seq = seq;
    this.epoch = epoch;
    if (!('currentParticipants' in update)) return;
    for (const count of COUNTS) this[count] = update[count];

    if (event === 'USER_JOINED') {
      this.participants = [...this.participants, participantName];
    } else if (event === 'USER_LEFT') {
      const place = this.participants.indexOf(participantName);
      this.participants = this.participants.filter((_, index) => index !== place);
    } else {
      this.uncertain = true;
    }
    if (!next || !this.#addsUp()) this.uncertain = true;
  }

  #take(answer) {
    const { name, inside, participants, seq, epoch } = answer;
    Object.assign(this, { name, inside, participants, seq, epoch });
    for (const count of COUNTS) this[count] = answer[count];
    // The bot reads its names and its counts one after the other: somebody may have come in between.
    this.uncertain = !this.#addsUp();
  }

  #addsUp() {
    return this.participants.length === this.currentParticipants;
  }
}
