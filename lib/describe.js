'use strict';

const { inspect } = require('node:util');

const LONGEST = 60;

/**
 * What a caller passed, in a few words: `a string ('x')`, `an array`, `undefined`.
 *
 * @param {unknown} value
 * @returns {string}
 */
function describe(value) {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object') return describeObject(value);
  const text = inspect(value);
  return `a ${typeof value} (${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text})`;
}

function describeObject(value) {
  if (Array.isArray(value)) return 'an array';
  const name = value.constructor?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object'
    ? `an instance of ${name}`
    : 'an object';
}

/**
 * The error for a value that is not what it has to be.
 *
 * @param {string} name What the value is called where it was passed.
 * @param {string} right What it has to be.
 * @param {unknown} value What it was.
 * @returns {TypeError}
 */
function wrong(name, right, value) {
  return new TypeError(`${name} must be ${right}, got ${describe(value)}`);
}

/**
 * The error for an option that there is none of, with the one that was probably meant.
 *
 * @param {string} group What the options are called where they were passed.
 * @param {string} name
 * @param {Iterable<string>} names Those that there are.
 * @returns {TypeError}
 */
function unknown(group, name, names) {
  const meant = closest(name, names);
  const hint = meant === undefined ? '' : `: did you mean ${meant}?`;
  return new TypeError(`${group}.${name} is unknown${hint}`);
}

/** The name that was probably meant, or undefined where none is near. */
function closest(name, names) {
  let best;
  let least = Math.max(2, Math.floor(name.length / 4)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** How many letters have to be put in, taken out or changed (Levenshtein). */
function editDistance(from, to) {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      next[j] = Math.min(change, row[j] + 1, next[j - 1] + 1);
    }
    row = next;
  }
  return row[to.length];
}

module.exports = { describe, unknown, wrong };
