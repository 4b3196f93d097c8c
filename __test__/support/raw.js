'use strict';

const net = require('node:net');
const nodeTls = require('node:tls');
const { Arrivals } = require('./queue');
const { tls } = require('./server');
const { failsafe } = require('./wait');

/** RFC 6455 §5.2. */
const OPCODE = { continuation: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa };

/** RFC 6455 §1.3: the sample key, and the accept value that belongs to it. */
const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const SAMPLE_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/**
 * An upgrade request's bytes.
 *
 * @param {object} [options]
 * @param {Record<string, string | null>} [options.headers] in place of the usual ones; null leaves one out
 */
function upgradeRequest({
  method = 'GET',
  target = '/ws/rooms?userId=raw',
  version = 'HTTP/1.1',
  headers = {},
} = {}) {
  const all = {
    Host: '127.0.0.1',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': SAMPLE_KEY,
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== null);
  return `${method} ${target} ${version}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/**
 * One frame as a client sends it, or, where the options say so, as none may (RFC 6455 §5.2).
 *
 * @param {number} opcode
 * @param {string | Buffer} payload
 * @param {{ fin?: boolean, masked?: boolean, rsv?: number }} [options]
 */
function frame(opcode, payload = '', { fin = true, masked = true, rsv = 0 } = {}) {
  const body = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const maskBit = masked ? 0x80 : 0;
  let head;
  if (body.length < 126) {
    head = Buffer.from([first, maskBit | body.length]);
  } else if (body.length < 65_536) {
    head = Buffer.from([first, maskBit | 126, body.length >> 8, body.length & 0xff]);
  } else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = maskBit | 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  if (!masked) return Buffer.concat([head, body]);
  const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  return Buffer.concat([head, mask, body.map((byte, index) => byte ^ mask[index % 4])]);
}

/** A text frame with an object as JSON. */
function textFrame(message, options) {
  return frame(OPCODE.text, JSON.stringify(message), options);
}

/** A Close frame's payload (RFC 6455 §5.5.1). */
function closePayload(code, reason = '') {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(reason));
  bytes.writeUInt16BE(code);
  bytes.write(reason, 2);
  return bytes;
}

/**
 * A socket that says exactly what it is told to, reads HTTP and then frames, and answers nothing by
 * itself.
 */
class RawClient {
  #buffer = Buffer.alloc(0);
  #frames = new Arrivals();
  #head;
  #gotHead;
  #closed;

  constructor(socket) {
    this.socket = socket;
    /** Everything that arrived after the response's head. */
    this.body = Buffer.alloc(0);
    this.#head = new Promise((resolve, reject) => {
      this.#gotHead = resolve;
      socket.once('close', () =>
        reject(new Error(`closed before a response, after: ${this.#buffer}`)),
      );
    });
    this.#head.catch(() => {});
    this.#closed = new Promise(resolve => socket.once('close', () => resolve()));
    socket.once('close', () => this.#frames.end('the socket has closed'));
    socket.on('error', () => {});
    socket.on('data', bytes => this.#read(bytes));
  }

  /** Resolves when the socket is gone. */
  get closed() {
    return failsafe(
      this.#closed,
      () => `the end of the socket; the frames so far: ${JSON.stringify(this.#frames.all)}`,
    );
  }

  /** Every frame so far: `{ fin, rsv, opcode, masked, payload }`. */
  get frames() {
    return this.#frames.all;
  }

  /** The response's head: `{ status, headers }`, names in lower case. */
  response() {
    return failsafe(this.#head, () => `a response; so far: ${this.#buffer}`);
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  nextFrame() {
    return this.#frames.next();
  }

  /** The next frame's text; fails where it is not a text frame. */
  async nextText() {
    const { opcode, payload } = await this.nextFrame();
    if (opcode !== OPCODE.text)
      throw new Error(`not text but opcode ${opcode}: ${payload.toString('latin1')}`);
    return payload.toString();
  }

  /** The code and reason of the next frame; fails where it is not a Close frame. */
  async nextClose() {
    const { opcode, payload } = await this.nextFrame();
    if (opcode !== OPCODE.close) throw new Error(`no Close frame but opcode ${opcode}: ${payload}`);
    return { code: payload.readUInt16BE(), reason: payload.toString('utf8', 2) };
  }

  terminate() {
    this.socket.destroy();
  }

  #read(bytes) {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    if (this.#gotHead) this.#readHead();
    if (!this.#gotHead) {
      if (this.upgraded) this.#readFrames();
      else this.body = this.#buffer;
    }
  }

  #readHead() {
    const end = this.#buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [statusLine, ...lines] = this.#buffer.toString('latin1', 0, end).split('\r\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const status = Number(statusLine.split(' ')[1]);
    this.upgraded = status === 101;
    this.#buffer = this.#buffer.subarray(end + 4);
    this.#gotHead({ status, statusLine, headers });
    this.#gotHead = undefined;
  }

  #readFrames() {
    for (;;) {
      const buffer = this.#buffer;
      if (buffer.length < 2) return;
      let length = buffer[1] & 0x7f;
      let offset = 2;
      if (length === 126) {
        if (buffer.length < 4) return;
        length = buffer.readUInt16BE(2);
        offset = 4;
      } else if (length === 127) {
        if (buffer.length < 10) return;
        length = Number(buffer.readBigUInt64BE(2));
        offset = 10;
      }
      if (buffer.length < offset + length) return;
      this.#buffer = buffer.subarray(offset + length);
      this.#frames.push({
        fin: (buffer[0] & 0x80) !== 0,
        rsv: (buffer[0] >> 4) & 0x7,
        opcode: buffer[0] & 0xf,
        masked: (buffer[1] & 0x80) !== 0,
        payload: buffer.subarray(offset, offset + length),
      });
    }
  }
}

/** Opens a plain or TLS socket to the server, and says nothing yet. */
async function openRaw(server, options = {}) {
  const to = { port: server.port, host: '127.0.0.1', ...options };
  const socket = server.secure ? nodeTls.connect({ ...to, ca: tls.cert }) : net.connect(to);
  // As an option a TLS socket does not know it.
  socket.setNoDelay(true);
  const client = new RawClient(socket);
  server.clients.push(client);
  await failsafe(
    new Promise((resolve, reject) => {
      socket.once(server.secure ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
    }),
    () => 'the connection',
  );
  return client;
}

/** Opens a socket, does the handshake, and has read CONNECTION_ESTABLISHED. */
async function openSession(server, request = {}, options = {}) {
  const client = await openRaw(server, options);
  client.write(upgradeRequest(request));
  const { status } = await client.response();
  if (status !== 101) throw new Error(`refused with ${status}`);
  await client.nextText();
  return client;
}

module.exports = {
  OPCODE,
  SAMPLE_ACCEPT,
  SAMPLE_KEY,
  RawClient,
  closePayload,
  frame,
  openRaw,
  openSession,
  textFrame,
  upgradeRequest,
};
