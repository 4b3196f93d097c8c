'use strict';

/** Far beyond what a loaded machine needs: it only turns a hang into a message. */
const FAILSAFE_MS = 30_000;

/**
 * Awaits `promise`, and rejects with `describe()` where it stays unsettled.
 *
 * @template T
 * @param {Promise<T>} promise
 * @param {() => string} describe what was awaited and what is known so far
 * @returns {Promise<T>}
 */
function failsafe(promise, describe) {
  let timer;
  const expired = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`still waiting for ${describe()}`)), FAILSAFE_MS);
  });
  return Promise.race([promise, expired]).finally(() => clearTimeout(timer));
}

/**
 * Polls until `condition` gives something truthy, and resolves with that.
 *
 * @template T
 * @param {() => T | Promise<T>} condition
 * @param {string | (() => string)} what for the failure's message
 * @returns {Promise<T>}
 */
async function until(condition, what) {
  const deadline = Date.now() + FAILSAFE_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline)
      throw new Error(`never came: ${typeof what === 'string' ? what : what()}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

/**
 * The arguments of an emitter's next event of that name.
 *
 * @param {import('node:events').EventEmitter} emitter
 * @param {string} event
 * @returns {Promise<any[]>}
 */
function nextEvent(emitter, event) {
  // Not events.once: that one rejects on 'error', which is itself an event awaited here.
  const emitted = new Promise(resolve => emitter.once(event, (...args) => resolve(args)));
  return failsafe(emitted, () => `the event '${event}'`);
}

/** A promise with its two ends in reach. */
function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}

module.exports = { FAILSAFE_MS, failsafe, until, nextEvent, deferred };
