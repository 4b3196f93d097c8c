'use strict';

const { RedisStore } = require('connect-redis');
const { createClient } = require('redis');

const PREFIX = 'bot:session:';
const ANSWER_WITHIN_MS = 3_000;
const LONGEST_RETRY_MS = 2_000;

/**
 * Sessions in Redis. The bot starts and runs without it; what needs a session is refused meanwhile.
 *
 * @param {string} url
 */
function openRedisStore(url) {
  const client = createClient({
    url,
    // Refused at once while Redis is away: a page asks again, a queue would only grow.
    disableOfflineQueue: true,
    socket: { reconnectStrategy: retries => Math.min(50 * 2 ** retries, LONGEST_RETRY_MS) },
  });
  logChanges(client);
  // It goes on trying; what is wrong comes as an event.
  client.connect().catch(() => {});

  const store = new RedisStore({ client: impatient(client), prefix: PREFIX, disableTouch: true });
  store.close = () => client.destroy();
  return store;
}

/** Each trouble once, however often it is met. */
function logChanges(client) {
  let trouble;
  client.on('error', error => {
    const words = error.message || error.code || String(error);
    if (words !== trouble) console.error(`Redis: ${words}`);
    trouble = words;
  });
  client.on('ready', () => {
    if (trouble) console.log('Redis is back.');
    trouble = undefined;
  });
}

/** The commands that sessions need, given up where Redis is there but does not answer. */
function impatient(client) {
  const within = async answer => {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('Redis does not answer')), ANSWER_WITHIN_MS);
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  };
  return {
    get: key => within(client.get(key)),
    set: (key, value, options) => within(client.set(key, value, options)),
    del: keys => within(client.del(keys)),
  };
}

module.exports = { openRedisStore };
