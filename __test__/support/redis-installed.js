'use strict';

const { unless, versionOf } = require('./installed');

/** The first major version that hubs work with. */
const OLDEST = 7;

function redisIsThere() {
  const [, major] = /v=(\d+)/.exec(versionOf('redis-server')) ?? [];
  return Number(major) >= OLDEST && versionOf('redis-cli') !== undefined;
}

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
