// One client that does everything right, and checks that the hub does.

import WebSocket from 'ws';
import { RoomStream } from './stream.mjs';

/** Answers to these come as an ERROR of the name behind them. */
const ODD = [
  ['{"action":"DANCE"}', 'Unknown action'],
  ['{"action":"__proto__"}', 'Unknown action'],
  ['[]', 'Message processing error'],
  ['{"action":"JOIN_ROOM"}', 'roomId is required'],
  ['{"action":"JOIN_ROOM","roomId":-1}', 'Invalid roomId'],
  ['{"action":"LEAVE_ROOM","roomId":{"__proto__":1}}', 'Invalid roomId'],
];

const ANSWERS = {
  JOIN_ROOM: 'ROOM_JOINED',
  LEAVE_ROOM: 'ROOM_LEFT',
  GET_ROOM_STATUS: 'ROOM_STATUS',
  PING: 'PONG',
};

/** How the hub may end a client that reads: the bot's own doing, or its hook's. */
const REGULAR = [
  '1000 Room closed',
  '1008 Disconnected',
  '1013 Try again later',
  '4000 Go elsewhere',
];
/** And one that does not. */
const FOR_NOT_READING = ['1013 Slow consumer', '1006 '];

/** Seconds in which an answer has to come: far beyond what a loaded machine needs. */
const PATIENCE = 30;

export class Client {
  userId;
  /** The rooms that it is to be in. */
  wanted = new Set();
  /** Resolves once the newest connection is over. */
  gone;
  #world;
  #socket;
  #streams = new Map();
  /** Requests that are not answered, in their order. */
  #pending = [];
  #established;
  #cut = false;
  #hasStopped = false;
  /** Grows with every stop; 0: reading, and all caught up. */
  #stops = 0;
  #mayGap = false;

  /** @param {object} world What the clients of a process share: see ../crowd.mjs. */
  constructor(world) {
    this.#world = world;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN && this.#established === undefined;
  }

  get isReading() {
    return this.isOpen && !this.#socket.isPaused;
  }

  /** Connects; whether the bot has let it in. */
  async connect() {
    const { url, ca, name } = this.#world;
    await this.gone;
    this.userId ??= name();
    this.#cut = this.#hasStopped = this.#mayGap = false;
    const query = `?userId=${encodeURIComponent(this.userId)}`;
    const socket = new WebSocket(url + query, { ca, perMessageDeflate: false });
    this.#socket = socket;
    socket.on('message', bytes => this.#take(JSON.parse(bytes)));
    socket.on('error', error => {
      // An end of our own doing is none of the hub's.
      if (!this.#cut && socket.readyState === WebSocket.CONNECTING) {
        this.#world.tally.fault('a connection refused', error.message);
      }
    });
    this.gone = new Promise(resolve => {
      socket.on('close', (code, reason) => resolve(this.#ended(`${code} ${reason}`)));
    });
    return new Promise(resolve => {
      this.#established = resolve;
    });
  }

  /** Ends the connection from this side: 'close', 'reset' (RST) or 'vanish' (FIN and no Close). */
  async end(how) {
    const socket = this.#socket;
    if (socket === undefined || socket.readyState === WebSocket.CLOSED) return;
    this.#cut = true;
    if (how === 'close') socket.close(1000);
    // What lies under TLS cannot be reset from here.
    else if (how === 'reset' && !socket._socket?.encrypted) socket._socket?.resetAndDestroy();
    else socket.terminate();
    await this.gone;
  }

  #ended(how) {
    const { tally } = this.#world;
    if (!this.#cut) {
      tally.end(how);
      const known = this.#hasStopped ? [...REGULAR, ...FOR_NOT_READING] : REGULAR;
      if (!known.includes(how))
        tally.fault('an end that nobody asked for', `${this.userId} ${how}`);
    }
    // 1008 is final: who comes back is somebody else.
    if (how.startsWith('1008')) {
      this.userId = undefined;
      this.#streams.clear();
    }
    for (const stream of this.#streams.values()) stream.left();
    for (const { resolve } of this.#pending.splice(0)) resolve(undefined);
    this.#established?.(false);
    this.#established = undefined;
  }

  #take(message) {
    if (message.type === 'CONNECTION_ESTABLISHED') {
      if (message.userId !== this.userId) this.#fault('another userId', message);
      this.#established?.(true);
      this.#established = undefined;
    } else if (message.type === 'ROOM_UPDATE') {
      const stream = this.#streams.get(message.roomId);
      if (stream) stream.update(message, this.#mayGap);
      else this.#fault('an update of a room that was never joined', message);
    } else if (message.type === 'ROOM_LEFT' && !this.#isAnswer(message, this.#pending[0])) {
      // The bot has removed it.
      this.#streams.get(message.roomId)?.left();
    } else {
      this.#answered(message);
    }
  }

  #answered(message) {
    const pending = this.#pending.shift();
    if (!this.#isAnswer(message, pending)) {
      return this.#fault('an answer to something else', { message, request: pending?.request });
    }
    const { request, resolve } = pending;
    const stream = this.#streams.get(message.roomId);
    if (message.type === 'ROOM_JOINED') stream.joined(message, request, this.#mayGap);
    else if (message.type === 'ROOM_LEFT') stream.left();
    resolve(message);
  }

  #isAnswer({ type, error, roomId }, pending) {
    if (pending === undefined) return false;
    const { request, failure } = pending;
    if (type === 'ERROR' && failure !== undefined) return error === failure;
    if (type !== 'ERROR' && type !== ANSWERS[request.action]) return false;
    if (roomId !== request.roomId) return false;
    // The bot's hook fails now and then.
    return type !== 'ERROR' || error === 'Unable to verify room membership';
  }

  /** The answer; undefined where the connection ended before. */
  #ask(request, text = JSON.stringify(request), failure = undefined) {
    if (!this.isOpen) return Promise.resolve(undefined);
    this.#socket.send(text);
    return new Promise(resolve => {
      this.#pending.push({ request, failure, resolve, age: 0 });
    });
  }

  isIn(roomId) {
    return this.#streams.get(roomId)?.member === true;
  }

  /** Joins, and goes on where it was; or, where it is in the room already, joins again. */
  join(roomId) {
    const stream = this.#stream(roomId);
    // A member's own place would be an old one by the time that the hub reads of it.
    const place = stream.member ? {} : stream.place;
    return this.#ask({ action: 'JOIN_ROOM', roomId, ...place });
  }

  leave(roomId) {
    return this.#ask({ action: 'LEAVE_ROOM', roomId });
  }

  status(roomId) {
    return this.#ask({ action: 'GET_ROOM_STATUS', roomId });
  }

  ping() {
    return this.#ask({ action: 'PING' });
  }

  /** Sends what is answered with an error. */
  blunder() {
    const [text, failure] = this.#world.random.pick(ODD);
    return this.#ask({}, text, failure);
  }

  /** Reads nothing more. */
  stop() {
    this.#socket.pause();
    this.expectGaps();
  }

  /** For whoever will not read for a while without being asked. */
  expectGaps() {
    this.#stops += 1;
    this.#hasStopped = this.#mayGap = true;
  }

  goOn() {
    this.#socket.resume();
  }

  /**
   * Asks until answers come at once: then nothing waits for this client any more, and no gap is
   * excused. Twice, since updates behind the first answer can have given way to newer ones.
   */
  async catchUp(pause) {
    const stops = this.#stops;
    for (let prompt = 0; prompt < 2 && this.isOpen; ) {
      const asked = performance.now();
      if ((await this.ping()) === undefined) return;
      prompt = performance.now() - asked < 250 ? prompt + 1 : 0;
      await pause();
    }
    if (stops === this.#stops) this.#mayGap = false;
  }

  /** Once a second: tells of an answer that does not come. A client that has stopped waits for none. */
  tick() {
    const [oldest] = this.#pending;
    if (oldest === undefined || this.#socket.isPaused) return;
    oldest.age += 1;
    if (oldest.age === PATIENCE) this.#fault('no answer', oldest.request);
  }

  /** @param {Map} books What is true of each room: see RoomStream.isAt. */
  isAt(books) {
    return [...this.wanted].every(roomId => this.#stream(roomId).isAt(books.get(roomId)));
  }

  settle(books) {
    for (const roomId of this.wanted) this.#stream(roomId).settle(books.get(roomId));
  }

  #stream(roomId) {
    const stream = this.#streams.get(roomId) ?? new RoomStream(roomId, this.#world);
    this.#streams.set(roomId, stream);
    return stream;
  }

  #fault(what, seen) {
    this.#world.tally.fault(what, `${this.userId} ${JSON.stringify(seen).slice(0, 500)}`);
  }
}
