'use strict';

const { countFrom } = require('./arguments.js');
const { wrong } = require('./describe.js');

const MAX_EVENT_BYTES = 128;
const MAX_UPDATE_BYTES = 64 * 1024;

// What the hub itself writes into every update.
const RESERVED = ['type', 'roomId', 'timestamp', 'seq', 'epoch'];

const EXPECTED = "a plain object such as { event: 'ROOM_RENAMED', name: 'Lobby' }";

// An escape in the text of JSON.stringify; only a lone surrogate is written as \ud….
const escapes = /\\(?:ud[89a-f][0-9a-f]{2}|.)/g;

/**
 * An update of the bot's own: its fields as JSON text, `event` first, and the counts where it has
 * both.
 *
 * @param {unknown} update
 * @returns {{ fields: string, current: number | undefined, max: number | undefined }}
 */
function customUpdateOf(update) {
  if (!isPlainObject(update)) throw wrong('update', EXPECTED, update);
  for (const key of RESERVED) {
    if (Object.hasOwn(update, key)) {
      throw new TypeError(
        `update.${key} is reserved: the hub writes type, roomId, timestamp, seq and epoch itself`,
      );
    }
  }
  const { event, ...own } = update;
  if (typeof event !== 'string' || event === '' || Buffer.byteLength(event) > MAX_EVENT_BYTES) {
    throw wrong('update.event', 'a string of 1 to 128 bytes', event);
  }
  const fields = joinFields(JSON.stringify(event), stringify(own));
  const bytes = Buffer.byteLength(fields);
  if (bytes > MAX_UPDATE_BYTES) {
    throw new TypeError(`update must be at most 64 KiB as JSON, got ${bytes} bytes`);
  }
  return { fields, ...countsOf(own) };
}

/** Made by a literal or by `Object.create(null)`, in this realm or another (a test runner's). */
function isPlainObject(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function stringify(own) {
  let text;
  try {
    text = JSON.stringify(own);
  } catch (cause) {
    throw new TypeError(`update must be possible to write as JSON: ${cause.message}`, { cause });
  }
  // A field called toJSON that is a function has replaced the object.
  if (text?.[0] !== '{') throw new TypeError('update must not have a toJSON function');
  return text;
}

/** By text, since an object of both would put integer-like names before `event`. */
function joinFields(event, own) {
  const text = own === '{}' ? `{"event":${event}}` : `{"event":${event},${own.slice(1)}`;
  return text.includes('\\ud') ? text.replace(escapes, replaceSurrogate) : text;
}

function replaceSurrogate(sequence) {
  return sequence.length > 2 ? '\ufffd' : sequence;
}

/** The bot's own fields may be anything; they are counts only where both are. */
function countsOf(own) {
  const current = countFrom(own.currentParticipants);
  const max = countFrom(own.maxParticipants);
  return current < 0 || max < 0 ? { current: undefined, max: undefined } : { current, max };
}

module.exports = { customUpdateOf };
