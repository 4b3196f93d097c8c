'use strict';

const WebSocket = require('ws');
const { Arrivals } = require('./queue');
const { tls } = require('./server');
const { failsafe } = require('./wait');

/** A `ws` client whose messages are awaited one by one, as the raw text that arrived. */
class RoomClient {
  #arrivals = new Arrivals();
  #open;
  #closed;

  constructor(url, options = {}) {
    this.ws = new WebSocket(url, { ca: tls.cert, ...options });
    /** The ws client's own error, where it had one. */
    this.error = undefined;
    /** Protocol pings that the server has sent. */
    this.pings = 0;
    this.#open = new Promise((resolve, reject) => {
      this.ws.once('open', resolve);
      this.ws.on('error', error => {
        this.error = error;
        reject(error);
      });
    });
    this.#open.catch(() => {});
    this.#closed = new Promise(resolve => {
      this.ws.on('close', (code, reason) => {
        this.#arrivals.end(
          `closed with ${code} '${reason}'${this.error ? ` after ${this.error}` : ''}`,
        );
        resolve({ code, reason: reason.toString() });
      });
    });
    this.ws.on('ping', () => {
      this.pings += 1;
    });
    this.ws.on('message', (bytes, isBinary) => {
      this.#arrivals.push(
        isBinary ? `a binary message: ${bytes.toString('hex')}` : bytes.toString(),
      );
    });
  }

  /** Resolves when the 101 is here; rejects where the upgrade is refused. */
  get opened() {
    return failsafe(this.#open, () => 'the 101');
  }

  /** `{ code, reason }` of the end, however it comes. */
  get closed() {
    return failsafe(
      this.#closed,
      () => `the close; received: ${this.received.slice(-20).join('\n')}`,
    );
  }

  /** Every message so far. */
  get received() {
    return this.#arrivals.all;
  }

  /** The next message's text. */
  next() {
    return this.#arrivals.next();
  }

  /** The next message, parsed: for tests whose concern is not its bytes. */
  async nextMessage() {
    return JSON.parse(await this.next());
  }

  /** Messages that have arrived and that nobody has asked for, without waiting for more. */
  takeUnread() {
    return this.#arrivals.takeUnread();
  }

  /** Sends an object as JSON, a string or Buffer as it is. */
  send(message) {
    this.ws.send(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message),
    );
  }

  /** Sends, and gives the text of the next message. */
  ask(message) {
    this.send(message);
    return this.next();
  }

  /** Joins and gives ROOM_JOINED, parsed. A snapshot or missed updates stay to be read. */
  async join(roomId, fields = {}) {
    this.send({ action: 'JOIN_ROOM', roomId, ...fields });
    const joined = await this.nextMessage();
    if (joined.type !== 'ROOM_JOINED') throw new Error(`not joined but ${JSON.stringify(joined)}`);
    return joined;
  }

  /** The next messages, so many. */
  async take(count) {
    const texts = [];
    while (texts.length < count) texts.push(await this.next());
    return texts;
  }

  /**
   * What arrives before the answer to a PING of ours. All that was owed to earlier messages of this
   * client is in it; an update that the bot has just handed over may come later.
   */
  async settle() {
    this.send({ action: 'PING' });
    const before = [];
    for (;;) {
      const text = await this.next();
      if (text.startsWith('{"type":"PONG"')) return before;
      before.push(text);
    }
  }

  /** The closing handshake from our side. */
  close(code, reason) {
    this.ws.close(code, reason);
    return this.closed;
  }

  /** Gone without a word, and surely. */
  terminate() {
    this.ws.terminate();
  }
}

/**
 * Starts a connection and does not wait: for what happens before or instead of
 * CONNECTION_ESTABLISHED.
 *
 * @param {object} server from startServer
 * @param {{ userId?: string | null, query?: string } & import('ws').ClientOptions} [options]
 *   `query` replaces the whole query, `userId: null` sends none
 */
function dial(server, { userId = 'user', query, ...options } = {}) {
  const search = query ?? (userId === null ? '' : `?userId=${encodeURIComponent(userId)}`);
  const client = new RoomClient(server.url + search, options);
  server.clients.push(client);
  return client;
}

/** Connects, and has read CONNECTION_ESTABLISHED. */
async function connect(server, options) {
  const client = dial(server, options);
  await client.opened;
  const established = await client.nextMessage();
  if (established.type !== 'CONNECTION_ESTABLISHED') {
    throw new Error(`not established but ${JSON.stringify(established)}`);
  }
  return client;
}

module.exports = { RoomClient, dial, connect };
