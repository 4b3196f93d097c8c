'use strict';

const binding = require('./addon.js');
const { describe, unknown, wrong } = require('./describe.js');

const KNOWN = ['url', 'prefix'];

const EXAMPLE = "'redis://127.0.0.1:6379'";

const PREFIX = /^[A-Za-z0-9_.:-]{1,64}$/;

/**
 * Checks the `cluster` option. A URL holds a password: no text from it comes into an error.
 *
 * @param {unknown} cluster
 * @throws {TypeError}
 */
function checkCluster(cluster) {
  if (typeof cluster === 'string') {
    throw new TypeError(
      `options.cluster must be an object, got a string: pass { url: ${EXAMPLE} }`,
    );
  }
  if (typeof cluster !== 'object' || cluster === null || Array.isArray(cluster)) {
    throw wrong('options.cluster', `an object such as { url: ${EXAMPLE} }`, cluster);
  }
  for (const name of Object.keys(cluster)) {
    if (!KNOWN.includes(name)) throw unknown('options.cluster', name, KNOWN);
  }
  checkUrl(cluster.url);
  checkPrefix(cluster.prefix);
}

function checkUrl(url) {
  if (typeof url !== 'string') {
    const hint = url instanceof URL ? ': pass its href' : '';
    throw new TypeError(
      `options.cluster.url must be a string such as ${EXAMPLE}, got ${describe(url)}${hint}`,
    );
  }
  const fault = binding.Hub.clusterUrlFault(url);
  if (fault !== null) throw new TypeError(`options.cluster.url ${fault}`);
}

function checkPrefix(prefix) {
  if (prefix === undefined || (typeof prefix === 'string' && PREFIX.test(prefix))) return;
  throw wrong(
    'options.cluster.prefix',
    "a string of 1 to 64 letters, digits, '_', '.', ':' and '-'",
    prefix,
  );
}

module.exports = { checkCluster };
