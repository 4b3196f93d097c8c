'use strict';

const { abiOf } = require('./host.js');

/**
 * The one error for every case in which roomcast is there and its addon is not.
 *
 * @param {import('./host.js').Host} host
 * @param {object} fault
 * @param {string} fault.why What is wrong, to stand in a log by itself.
 * @param {string} fault.cure What to do.
 * @param {string[]} fault.looked Files and packages.
 * @param {unknown} [fault.cause] The loader's own error.
 */
function noAddon(host, { why, cure, looked, cause }) {
  const lines = [
    `roomcast: no addon for ${abiOf(host)} (Node ${process.versions.node}): ${why}.`,
    cure,
    `Looked for: ${looked.join(', ')}`,
  ];
  const error = new Error(lines.join('\n  '), cause === undefined ? undefined : { cause });
  error.code = 'ROOMCAST_NO_ADDON';
  return error;
}

module.exports = { noAddon };
