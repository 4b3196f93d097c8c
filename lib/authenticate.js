'use strict';

const cookies = require('cookie');
const signature = require('cookie-signature');
const { unknown, wrong } = require('./describe.js');

const KNOWN = ['cookieName', 'secret', 'loadSession', 'userFrom'];

// How express-session marks a value that it has signed.
const SIGNED = 's:';

/** The hooks made here: cookies travel with every site's pages, so origins matter to them. */
const made = new WeakSet();

/**
 * An `authenticate` hook for sessions in the manner of express-session: a signed cookie names the
 * session, `loadSession` finds it, `session.user.id` is the user.
 *
 * The connection ends with the session: `session.cookie.expires`, where it is set and `userFrom`
 * gives no `expiresAt` of its own.
 */
function sessionAuthenticator(options) {
  checkOptions(options);
  const { cookieName, loadSession, userFrom = userOf } = options;
  // The newest secret first, as express-session takes them.
  const secrets = [options.secret].flat();

  const verdictFor = session => (session ? withExpiry(userFrom(session), session) : null);

  function authenticate(request) {
    const sid = signedSid(request.headers.cookie, cookieName, secrets);
    if (sid === undefined) return null;
    const session = loadSession(sid);
    return typeof session?.then === 'function'
      ? Promise.resolve(session).then(verdictFor)
      : verdictFor(session);
  }
  made.add(authenticate);
  return authenticate;
}

function checkOptions(options) {
  if (typeof options !== 'object' || options === null) throw wrong('options', 'an object', options);
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name)) throw unknown('options', name, KNOWN);
  }
  const { cookieName, secret, loadSession, userFrom } = options;
  if (!isText(cookieName)) throw wrong('options.cookieName', 'a non-empty string', cookieName);
  const secrets = [secret].flat();
  if (secrets.length === 0 || !secrets.every(isText)) {
    // The value is a secret also where it is wrong: it is not shown.
    throw new TypeError('options.secret must be a non-empty string or a list of such');
  }
  if (typeof loadSession !== 'function')
    throw wrong('options.loadSession', 'a function', loadSession);
  if (userFrom !== undefined && typeof userFrom !== 'function') {
    throw wrong('options.userFrom', 'a function', userFrom);
  }
}

function isText(value) {
  return typeof value === 'string' && value !== '';
}

/** The session id of a cookie whose signature one of the secrets made. */
function signedSid(header, cookieName, secrets) {
  if (header === undefined) return undefined;
  const value = cookies.parse(header)[cookieName];
  if (!value?.startsWith(SIGNED)) return undefined;
  const signed = value.slice(SIGNED.length);
  for (const secret of secrets) {
    const sid = signature.unsign(signed, secret);
    if (sid) return sid;
  }
  return undefined;
}

function userOf(session) {
  return session.user?.id ?? null;
}

function withExpiry(verdict, session) {
  if (verdict === null || verdict === undefined || verdict === false) return null;
  if (typeof verdict.then === 'function') {
    return Promise.resolve(verdict).then(settled => withExpiry(settled, session));
  }
  const expiresAt = expiryOf(session.cookie?.expires);
  if (expiresAt === undefined) return verdict;
  if (typeof verdict !== 'object') return { userId: verdict, expiresAt };
  return verdict.expiresAt === undefined ? { ...verdict, expiresAt } : verdict;
}

/** A Date, or its text where the store keeps JSON; sessions without an end have neither. */
function expiryOf(expires) {
  const isDate = typeof expires?.getTime === 'function';
  const time = isDate || typeof expires === 'string' ? new Date(expires).getTime() : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/**
 * @param {unknown} hook
 * @returns {boolean}
 */
function isSessionAuthenticator(hook) {
  return made.has(hook);
}

module.exports = { isSessionAuthenticator, sessionAuthenticator };
