'use strict';

const session = require('express-session');
const { Unavailable } = require('../../database/unavailable');
const { openRedisStore } = require('./redisStore');
const { sessionAuthenticator } = require('../websocket/roomWebSocketHandler');

const COOKIE = 'bot.sid';

/**
 * Sessions for Express and the same ones for the hub. They end at a fixed time after the sign-in, so
 * that the cookie, the store and the WebSocket all mean the same moment.
 *
 * @param {{ redisUrl?: string, sessionSecret: string, sessionTtlMs: number }} config
 */
function openSessions({ redisUrl, sessionSecret: secret, sessionTtlMs: maxAge }) {
  const store = redisUrl ? openRedisStore(redisUrl) : openMemoryStore();
  const load = session({
    name: COOKIE,
    secret,
    store,
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge },
    saveUninitialized: false,
    resave: false,
    rolling: false,
  });
  return {
    middleware: loading(load),
    authenticate: sessionAuthenticator({
      cookieName: COOKIE,
      secret,
      loadSession: sid =>
        new Promise((resolve, reject) => {
          store.get(sid, (error, found) => (error ? reject(unavailable(error)) : resolve(found)));
        }),
    }),
    close: async () => store.close?.(),
  };
}

/** express-session calls back once more where it cannot save what is answered already. */
function loading(load) {
  return (req, res, next) => {
    let loaded = false;
    load(req, res, error => {
      if (loaded) return console.error(`A session was not saved: ${error?.message}`);
      loaded = true;
      next(error && unavailable(error));
    });
  };
}

/** express-session touches a session with every request where the store can: that moves its end. */
function openMemoryStore() {
  return Object.assign(new session.MemoryStore(), { touch: undefined });
}

const unavailable = cause => new Unavailable('Sessions cannot be looked up', { cause });

/** The session's own methods, as promises. */
const ask = (req, method) =>
  new Promise((resolve, reject) => {
    req.session[method](error => (error ? reject(unavailable(error)) : resolve()));
  });

/** Starts a session for this user, under a new id: one that was there before knows nothing of it. */
async function startSession(req, user) {
  await ask(req, 'regenerate');
  req.session.user = user;
  // Saved before the answer: a page that has it may ask the next thing at once.
  await ask(req, 'save');
}

const endSession = req => ask(req, 'destroy');

module.exports = { COOKIE, endSession, openSessions, startSession };
