const POLL_AFTER_FAILURES = 3;
const ANSWER_MS = 15_000;
const SPACING_MS = 100;
const BURST = 50;
const OPTIONS = '{ url, poll: false or { url, interval }, pingInterval }';

const now = () => performance.now();

class Room {
  wanted = false;
  joined = false;
  // One at a time, so that an answer has one meaning.
  asked;
  // Nothing shown yet of where `seq` stands.
  unshown = true;

  constructor(id) {
    this.id = id;
  }

  message() {
    this.asked = this.wanted ? 'JOIN_ROOM' : 'LEAVE_ROOM';
    return { action: this.asked, roomId: this.id, lastSeq: this.seq, epoch: this.epoch };
  }

  standAt(seq, epoch, unshown) {
    Object.assign(this, { seq, epoch, unshown });
  }

  takes({ seq, epoch = this.epoch }) {
    if (seq === undefined) return true;
    const shown = seq < this.seq || (seq === this.seq && !this.unshown);
    // Without an epoch: from before the page left and joined anew.
    if (!epoch || (shown && epoch === this.epoch)) return false;
    this.standAt(seq, epoch, false);
    return true;
  }
}

export class RoomClient extends EventTarget {
  #url;
  #poll;
  #pingInterval;
  #state = navigator.onLine ? 'connecting' : 'offline';
  #rooms = new Map();
  #statuses = new Set();
  #queue = new Set();
  #paidUntil = 0;
  #socket;
  #live = false;
  #heard;
  #failures = 0;
  #outageSince = now();
  #round;
  #timers = {};
  #listening = new AbortController();

  constructor({ url = '/ws/rooms', poll = {}, pingInterval = 25_000, ...others } = {}) {
    super();
    const { url: pollUrl = '/api/rooms', interval = 5_000, ...more } = poll;
    for (const name in { ...others, ...more }) throw wrong('options', OPTIONS, name);
    if (poll && typeof poll !== 'object') throw wrong('poll', OPTIONS, poll);
    this.#url = urlOf('url', url, 'ws');
    this.#poll = poll && {
      url: urlOf('poll.url', pollUrl, 'http'),
      interval: millisecondsOf('poll.interval', interval),
    };
    this.#pingInterval = millisecondsOf('pingInterval', pingInterval);
    this.#connect();
    const { signal } = this.#listening;
    window.addEventListener('online', () => this.#hurry(), { signal });
    window.addEventListener('offline', () => this.#become('offline'), { signal });
    document.addEventListener('visibilitychange', () => document.hidden || this.#hurry(), {
      signal,
    });
  }

  get state() {
    return this.#state;
  }

  join(roomId) {
    const room = this.#room(roomIdOf(roomId));
    if (room.wanted || this.#state === 'closed') return;
    room.wanted = true;
    this.#rooms.set(room.id, room);
    if (this.#live && !room.asked) this.#enqueue(room);
    this.#pollSoon();
  }

  leave(roomId) {
    const room = this.#room(roomIdOf(roomId));
    if (room.wanted) this.#forget(room);
  }

  async status(roomId) {
    const id = roomIdOf(roomId);
    if (!this.#live) throw new Error(`No live connection: ${this.#state}`);
    const message = () => ({ action: 'GET_ROOM_STATUS', roomId: id });
    return new Promise((resolve, reject) => {
      const status = { id, message, resolve, reject };
      this.#statuses.add(status);
      this.#enqueue(status);
    });
  }

  close() {
    if (this.#state === 'closed') return;
    this.#drop('Closed');
    this.#stopPolling();
    clearTimeout(this.#timers.retry);
    this.#listening.abort();
    this.#rooms.clear();
    this.#become('closed');
  }

  #room(id) {
    return this.#rooms.get(id) ?? new Room(id);
  }

  #in(ms, name, callback) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = setTimeout(callback, ms);
  }

  #connect() {
    clearTimeout(this.#timers.retry);
    this.#socket = new WebSocket(this.#url);
    this.#socket.onmessage = ({ data }) => this.#received(JSON.parse(data));
    this.#socket.onclose = ({ code, reason }) => this.#lost(reason, code);
    this.#expect(ANSWER_MS);
  }

  #drop(why) {
    clearTimeout(this.#timers.beat);
    clearTimeout(this.#timers.queue);
    if (this.#socket) {
      this.#socket.onmessage = this.#socket.onclose = null;
      this.#socket.close(1000);
    }
    this.#socket = undefined;
    this.#live = false;
    this.#queue.clear();
    for (const room of this.#rooms.values()) {
      Object.assign(room, { joined: false, asked: undefined, notBefore: 0 });
      if (!room.wanted) this.#rooms.delete(room.id);
    }
    for (const status of this.#statuses) status.reject(new Error(why));
    this.#statuses.clear();
  }

  #lost(reason, code) {
    const wasLive = this.#live;
    this.#drop(reason || 'Connection lost');
    if (code === 1008) {
      this.#emit('error', { error: reason || 'Refused', code });
      this.close();
      return;
    }
    if (wasLive) this.#outageSince = now();
    else this.#failures += 1;
    this.#in(jitter(this.#failures, this.#outageSince), 'retry', () => this.#connect());
    if (wasLive) this.#become(navigator.onLine ? 'connecting' : 'offline');
    else if (!this.#poll) this.#become('offline');
    else if (this.#failures === POLL_AFTER_FAILURES) this.#pollSoon();
  }

  #hurry() {
    this.#pollSoon();
    if (this.#socket) {
      this.#ping(5_000);
    } else {
      this.#outageSince = now();
      this.#connect();
    }
  }

  #ping(within) {
    if (this.#live) this.#send({ action: 'PING' });
    this.#expect(within);
  }

  #expect(within) {
    this.#heard = false;
    this.#in(within, 'beat', () => (this.#heard ? this.#ping(this.#pingInterval) : this.#lost()));
  }

  #received(message) {
    if (message.type === 'CONNECTION_ESTABLISHED') this.#established();
    this.#heard = true;
    if (this.#live) this.#become('live');
    const room = this.#room(message.roomId);
    switch (message.type) {
      case 'ROOM_UPDATE':
        if (room.wanted && room.takes(message)) this.#emit('update', message);
        break;
      case 'ROOM_JOINED':
        this.#joined(room, message);
        break;
      case 'ROOM_LEFT':
        this.#left(room);
        break;
      case 'ROOM_STATUS':
        for (const status of this.#statuses) {
          if (status.id === room.id && this.#statuses.delete(status)) status.resolve(message);
        }
        break;
      case 'ERROR':
        this.#refused(room, message);
    }
  }

  #established() {
    this.#stopPolling();
    this.#failures = 0;
    this.#live = true;
    this.#paidUntil = 0;
    this.#expect(this.#pingInterval);
    for (const room of this.#rooms.values()) {
      room.counts = undefined;
      this.#queue.add(room);
    }
    this.#sendQueued();
  }

  #joined(room, { seq, epoch, recovered }) {
    Object.assign(room, { asked: undefined, joined: true, troubledSince: undefined });
    this.#queue.delete(room);
    if (room.wanted && (epoch !== room.epoch || seq > room.seq)) room.standAt(seq, epoch, true);
    // A snapshot that was lost is sent to who joins twice.
    if (!room.wanted || (recovered && room.unshown)) this.#enqueue(room);
  }

  #left(room) {
    // From before that join.
    if (room.asked === 'JOIN_ROOM') return;
    const { wanted } = room;
    const asked = room.asked || this.#queue.has(room);
    Object.assign(room, { asked: undefined, joined: false });
    if (wanted && asked) {
      this.#enqueue(room);
    } else {
      this.#forget(room);
      if (wanted) this.#emit('error', { error: 'Removed from room', roomId: room.id });
    }
  }

  #refused(room, { type: _, ...detail }) {
    if (detail.error === 'Rate limit exceeded') {
      // For all that was dropped in this second. The hub forgives after 5 s of silence.
      this.#paidUntil = now() + 2 * BURST * SPACING_MS;
      for (const one of this.#rooms.values()) if (one.asked) this.#enqueue(one);
      for (const status of this.#statuses) this.#enqueue(status);
    } else if (room.asked === 'JOIN_ROOM') {
      room.asked = undefined;
      if (room.wanted && detail.error === 'Unable to verify room membership') {
        room.troubledSince ??= now();
        room.notBefore = now() + jitter(2, room.troubledSince);
        this.#enqueue(room);
      } else {
        this.#forget(room);
      }
    }
    this.#emit('error', detail);
  }

  #forget(room) {
    room.wanted = false;
    room.standAt(undefined, undefined, true);
    if (room.asked) return;
    if (room.joined) {
      this.#enqueue(room);
    } else {
      this.#rooms.delete(room.id);
      this.#queue.delete(room);
    }
  }

  #enqueue(order) {
    this.#queue.add(order);
    this.#sendQueued();
  }

  #sendQueued() {
    let wait = Infinity;
    for (const order of this.#queue) {
      const at = Math.max(order.notBefore ?? 0, this.#paidUntil - (BURST - 1) * SPACING_MS);
      const early = at - now();
      if (early > 0) {
        wait = Math.min(wait, early);
      } else {
        this.#queue.delete(order);
        this.#send(order.message());
      }
    }
    if (wait < Infinity) this.#in(wait, 'queue', () => this.#sendQueued());
  }

  #send(message) {
    this.#paidUntil = Math.max(this.#paidUntil, now()) + SPACING_MS;
    this.#socket.send(JSON.stringify(message));
  }

  #pollSoon() {
    const polls = this.#poll && this.#failures >= POLL_AFTER_FAILURES;
    if (polls && !this.#round) this.#in(0, 'poll', () => this.#pollRooms());
  }

  async #pollRooms() {
    if (document.hidden) return;
    const round = new AbortController();
    this.#round = round;
    this.#in(ANSWER_MS, 'poll', () => round.abort());
    const polls = [...this.#rooms.values()].map(room =>
      this.#pollRoom(room, round.signal).catch(() => false),
    );
    const answered = await Promise.all(polls);
    if (round !== this.#round) return;
    this.#round = undefined;
    const wait = this.#rooms.size > polls.length ? 0 : this.#poll.interval;
    this.#in(wait, 'poll', () => this.#pollRooms());
    if (!answered.includes(true)) this.#become('offline');
  }

  #stopPolling() {
    clearTimeout(this.#timers.poll);
    this.#round?.abort();
    this.#round = undefined;
  }

  async #pollRoom(room, signal) {
    const url = `${this.#poll.url}/${encodeURIComponent(room.id)}`;
    const response = await fetch(url, { cache: 'no-cache', signal });
    const answer = await response.json();
    if (signal.aborted || response.status >= 500) return false;
    if (this.#state !== 'polling' && !this.#socket) this.#connect();
    this.#become('polling');
    if (!room.wanted) return true;
    const { currentParticipants: current, maxParticipants: max, seq, epoch } = answer;
    const counts = `${current}/${max}`;
    if (!response.ok) {
      if (response.status === 403) this.#forget(room);
      const error = answer.error ?? response.statusText;
      this.#emit('error', { error, roomId: room.id, code: response.status });
    } else if (current >= 0 && (epoch ? room.takes(answer) : counts !== room.counts)) {
      room.counts = counts;
      this.#emit('update', {
        type: 'ROOM_UPDATE',
        roomId: room.id,
        event: 'PARTICIPANT_COUNT_UPDATED',
        currentParticipants: current,
        maxParticipants: max,
        isFull: current >= max,
        availableSlots: Math.max(0, max - current),
        timestamp: new Date().toISOString(),
        seq,
        epoch,
      });
    }
    return true;
  }

  #become(state) {
    if (state === this.#state || this.#state === 'closed') return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: state }));
  }

  #emit(type, detail) {
    if (this.#state !== 'closed') this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function jitter(failures, since) {
  const bound = Math.max(Math.min(2_500, 1_000 * 2 ** failures), (now() - since) / 24);
  return Math.random() * Math.min(30_000, bound);
}

function urlOf(name, value, scheme) {
  try {
    const url = new URL(value, location.href);
    url.protocol = url.protocol.replace('http', scheme);
    const fits = typeof (value.href ?? value) === 'string';
    if (fits && url.protocol.startsWith(scheme)) return url.href;
  } catch {}
  throw wrong(name, `the URL of a ${scheme}(s) server`, value);
}

function millisecondsOf(name, value) {
  if (typeof value === 'number' && value > 0 && value < 2 ** 31) return value;
  throw wrong(name, 'a number of milliseconds above 0', value);
}

function roomIdOf(value) {
  const text = typeof value === 'string';
  const number = text && /^(0|[1-9]\d*)$/.test(value) ? Number(value) : value;
  if (Number.isSafeInteger(number) && number >= 0) return number;
  const bytes = text && /^[^\p{Cc}\p{Cs}]+$/u.test(value) && new TextEncoder().encode(value);
  if (bytes?.length <= 128) return value;
  const right = 'an integer from 0 to 2^53-1 or text of 1 to 128 bytes without control characters';
  throw wrong('roomId', right, value);
}

function wrong(name, right, value) {
  return new TypeError(`${name} must be ${right}, got ${String(value)} (${typeof value})`);
}
