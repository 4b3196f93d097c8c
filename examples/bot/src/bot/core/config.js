'use strict';

const { randomBytes } = require('node:crypto');

const DAY_S = 24 * 60 * 60;

/** What the environment says, but for the database, which reads its own. */
function readConfig(env = process.env) {
  return {
    port: numberOf(env, 'PORT', 3000),
    host: env.HOST || undefined,
    redisUrl: env.REDIS_URL || undefined,
    sessionSecret: env.SESSION_SECRET || randomSecret(env),
    sessionTtlMs: numberOf(env, 'SESSION_TTL', 7 * DAY_S) * 1_000,
    trustProxy: numberOf(env, 'TRUST_PROXY', 0),
    drainDelayMs: numberOf(env, 'DRAIN_DELAY', 0) * 1_000,
  };
}

function numberOf(env, name, otherwise) {
  if (!env[name]) return otherwise;
  const number = Number(env[name]);
  if (!(number >= 0)) throw new Error(`${name} is ${env[name]}, which is no number`);
  return number;
}

function randomSecret({ REDIS_URL, NODE_ENV }) {
  if (REDIS_URL || NODE_ENV === 'production') {
    console.warn('SESSION_SECRET is not set: sessions end with this process.');
  }
  return randomBytes(32).toString('base64url');
}

module.exports = { readConfig };
