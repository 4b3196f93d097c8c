// The live side of the page: one WebSocket, as many rooms as wanted, back again after every
// interruption without a missed update. Dispatches `update` (detail: the ROOM_UPDATE) and `state`
// (detail: 'connecting', 'live', 'waiting' or 'refused').

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30_000;
const PING_EVERY_MS = 25_000;
// A phone that changed networks keeps a dead connection open for minutes: silence for longer than
// this ends it.
const SILENT_FOR_MS = 40_000;
// The close code for who the client is. Everything else is a reason to come back.
const FINAL_CLOSE_CODE = 1008;

export class LiveRooms extends EventTarget {
  #userId;
  #socket;
  #rooms = new Map();
  #failures = 0;
  #retryTimer;
  #pingTimer;
  #heardAt = 0;

  constructor(userId) {
    super();
    this.#userId = userId;
    window.addEventListener('online', () => this.#retryNow());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#retryNow();
    });
  }

  /** Follows a room, from now on and over every reconnect. */
  follow(roomId) {
    if (this.#rooms.has(roomId)) return;
    this.#rooms.set(roomId, {});
    this.#join(roomId);
  }

  connect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#tell('connecting');
    const url = new URL('/ws/rooms', window.location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('userId', this.#userId);
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener('message', event => {
      if (socket === this.#socket) this.#received(JSON.parse(event.data));
    });
    socket.addEventListener('close', event => this.#closed(socket, event.code));
  }

  #received(message) {
    this.#heardAt = Date.now();
    switch (message.type) {
      case 'CONNECTION_ESTABLISHED':
        this.#failures = 0;
        this.#pingTimer = setInterval(() => this.#ping(), PING_EVERY_MS);
        for (const roomId of this.#rooms.keys()) this.#join(roomId);
        this.#tell('live');
        break;
      case 'ROOM_JOINED':
        this.#rooms.set(message.roomId, { lastSeq: message.seq, epoch: message.epoch });
        break;
      case 'ROOM_UPDATE': {
        const place = this.#rooms.get(message.roomId);
        place.lastSeq = message.seq;
        if (message.epoch) place.epoch = message.epoch;
        this.dispatchEvent(new CustomEvent('update', { detail: message }));
        break;
      }
    }
  }

  #closed(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    clearInterval(this.#pingTimer);
    if (code === FINAL_CLOSE_CODE) return this.#tell('refused');

    // After a restart every page comes back: the random half keeps them from coming all at once.
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#retryTimer = setTimeout(
      () => this.connect(),
      longest / 2 + (Math.random() * longest) / 2,
    );
    this.#failures += 1;
    this.#tell('waiting');
  }

  #retryNow() {
    if (this.#retryTimer) this.connect();
  }

  #ping() {
    if (Date.now() - this.#heardAt > SILENT_FOR_MS) {
      // close() alone would wait for an answer that does not come.
      const dead = this.#socket;
      dead.close();
      this.#closed(dead, 1006);
    } else {
      this.#send({ action: 'PING' });
    }
  }

  #join(roomId) {
    this.#send({ action: 'JOIN_ROOM', roomId, ...this.#rooms.get(roomId) });
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #tell(state) {
    this.dispatchEvent(new CustomEvent('state', { detail: state }));
  }
}
