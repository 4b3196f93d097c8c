'use strict';

// Whether this machine has what a test starts: such a test is skipped, and says so, where it has not.
// ROOMCAST_REQUIRE_ALL lets no test be skipped: it fails instead for what is not there.

const { execFileSync } = require('node:child_process');

/** The first major version that hubs work with. */
const OLDEST = 7;

/** What a command says of its version; undefined where there is no such command. */
function versionOf(command, option = '--version') {
  try {
    return execFileSync(command, [option], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  }
}

function redisIsThere() {
  const [, major] = /v=(\d+)/.exec(versionOf('redis-server')) ?? [];
  return Number(major) >= OLDEST && versionOf('redis-cli') !== undefined;
}

const unless = (isThere, what) =>
  !process.env.ROOMCAST_REQUIRE_ALL && !isThere() && `${what} not installed`;

/** The options of a test, or a suite, that needs Redis. */
const needsRedis = {
  skip: unless(redisIsThere, `redis-server and redis-cli, ${OLDEST}.0 or newer, are`),
};

/** The same for one that needs a Redis that speaks TLS. */
const needsTls = {
  skip:
    needsRedis.skip || unless(() => versionOf('openssl', 'version') !== undefined, 'openssl is'),
};

module.exports = { needsRedis, needsTls };
