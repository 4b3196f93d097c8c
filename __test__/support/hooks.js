'use strict';

const assert = require('node:assert/strict');
const { deferred, failsafe, until } = require('./wait');

/** Resolves when the signal aborts. */
function aborted(signal) {
  assert.ok(signal instanceof AbortSignal);
  const event = new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', resolve, { once: true });
  });
  return failsafe(event, () => 'the abort of the signal');
}

/**
 * A hook whose calls the test answers one by one: `calls` has the arguments and `resolve`, `reject`
 * of each.
 */
function questions() {
  const calls = [];
  const hook = (...given) => {
    const answer = deferred();
    calls.push({ given, signal: given.at(-1).signal, ...answer });
    return answer.promise;
  };
  const call = number => until(() => calls[number], `call ${number} of the hook`);
  return { hook, calls, call };
}

/** What kind of message each text is, with its room where it has one. */
const kinds = texts =>
  texts.map(text => {
    const { type, error, roomId } = JSON.parse(text);
    return [error ?? type, roomId].filter(part => part !== undefined).join(' ');
  });

module.exports = { aborted, kinds, questions };
