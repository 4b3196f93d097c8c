'use strict';

// Many clients in a process of their own, by bare sockets, so that thousands of them cost little.
//
// They join `rooms`, and say when all have. With `stop` they read nothing from then on. Otherwise
// each follows the updates of the first room, number by number: one with `at` (nanoseconds of the
// machine's clock) is timed, and one with the event PHASE_END has the crowd report, once all of its
// clients have seen it, what they saw since the phase before.

const net = require('node:net');
const { createHistogram } = require('node:perf_hooks');
const { textFrame, upgradeRequest } = require('../raw');

/** Clients that connect side by side. */
const WAVE = 200;

const { port, clients, rooms, stop = false } = JSON.parse(process.argv[2]);

const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);
const now = () => Number(process.hrtime.bigint());

/** What the updates say, by number: all clients get the same bytes, and one of them has them parsed. */
const updates = new Map();

/** The phase under way, and how many clients have seen its end. */
let phase = newPhase();
let ended = 0;

function newPhase() {
  return { received: 0, missed: 0, histogram: createHistogram() };
}

function report() {
  const { received, missed, histogram } = phase;
  const ms = nanoseconds => nanoseconds / 1e6;
  const [p50, p99] = [50, 99].map(percent => ms(histogram.percentile(percent)));
  say({ received, missed, p50, p99, max: ms(histogram.max) });
  phase = newPhase();
  updates.clear();
  ended = 0;
}

/** The number of an update, which stands at its end: `"seq":41}`. */
function seqOf(bytes, end) {
  let [seq, scale] = [0, 1];
  for (let at = end - 2; bytes[at] !== 0x3a; at -= 1) {
    seq += (bytes[at] - 0x30) * scale;
    scale *= 10;
  }
  return seq;
}

/** One client's side of a connection: the 101, then frames as a server sends them (RFC 6455 §5.2). */
class Follower {
  #rest;
  #upgraded = false;
  #joins = 0;
  #next;
  #joined;

  constructor(number) {
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    this.joined = new Promise(resolve => {
      this.#joined = resolve;
    });
    this.socket.write(upgradeRequest({ target: `/ws/rooms?userId=${number}` }));
    for (const roomId of rooms) this.socket.write(textFrame({ action: 'JOIN_ROOM', roomId }));
    this.socket.on('data', bytes => this.#read(bytes));
    this.socket.on('error', () => {});
    this.socket.on('close', () => say({ closed: number }));
  }

  #read(bytes) {
    const all = this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes;
    let at = 0;
    if (!this.#upgraded) {
      const end = all.indexOf('\r\n\r\n');
      if (end >= 0) {
        this.#upgraded = true;
        at = end + 4;
      }
    }
    while (this.#upgraded && at + 4 <= all.length) {
      const short = all[at + 1] & 0x7f;
      const start = at + (short < 126 ? 2 : 4);
      const end = start + (short < 126 ? short : all.readUInt16BE(at + 2));
      if (end > all.length) break;
      this.#take(all, start, end);
      at = end;
    }
    this.#rest = at < all.length ? Buffer.from(all.subarray(at)) : undefined;
  }

  #take(bytes, start, end) {
    const type = bytes.latin1Slice(start + 9, start + 20);
    if (type === 'ROOM_JOINED') this.#takeJoined(JSON.parse(bytes.toString('utf8', start, end)));
    if (type === 'ROOM_UPDATE' && !stop) this.#takeUpdate(bytes, start, end);
  }

  #takeJoined({ roomId, seq }) {
    this.#joins += 1;
    if (roomId === rooms[0]) this.#next = seq + 1;
    if (this.#joins < rooms.length) return;
    if (stop) this.socket.pause();
    this.#joined();
  }

  #takeUpdate(bytes, start, end) {
    const seq = seqOf(bytes, end);
    let update = updates.get(seq);
    if (update === undefined) {
      update = JSON.parse(bytes.toString('utf8', start, end));
      updates.set(seq, update);
    }
    phase.received += 1;
    if (seq !== this.#next) phase.missed += 1;
    this.#next = seq + 1;
    if (update.at !== undefined) phase.histogram.record(Math.max(1, now() - update.at));
    if (update.event !== 'PHASE_END') return;
    ended += 1;
    if (ended === clients) report();
  }
}

async function gather() {
  for (let first = 0; first < clients; first += WAVE) {
    const wave = Array.from({ length: Math.min(WAVE, clients - first) }, (_, at) => first + at);
    await Promise.all(wave.map(number => new Follower(number).joined));
  }
  say({ joined: clients });
  // Sockets that are not read keep no process alive.
  if (stop) setInterval(() => {}, 2 ** 31 - 1);
}

gather();
