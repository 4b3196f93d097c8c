'use strict';

const { randomUUID } = require('node:crypto');
const attendance = require('../../../services/attendance');
const HangoutGroupModel = require('../../../models/hangoutGroupModel');
const { HttpError } = require('../errors');
const { COOKIE, endSession, startSession } = require('../sessions');

const LONGEST_NAME = 40;
// RFC 6455 section 7.4.1; a page takes it as final.
const POLICY_VIOLATION = 1008;

const view = ({ user, cookie }) => ({ user, expires: cookie.expires });

/** Puts the signed-in user on the request, or answers 401. */
function requireUser(req, _res, next) {
  if (!req.session?.user) throw new HttpError(401, 'Not signed in');
  req.user = req.session.user;
  next();
}

/** GET /api/session */
async function getSession(req, res) {
  // The session may have outlived the database that knew the user.
  await HangoutGroupModel.joinMainGroups(req.user.id);
  res.json(view(req.session));
}

/** POST /api/session with `{ name }` */
async function signIn(req, res) {
  const name = nameOf(req.body);
  const user = { id: randomUUID(), name };
  await HangoutGroupModel.joinMainGroups(user.id);
  const before = await leaveEverything(req);
  await startSession(req, user);
  disconnect(req, before);
  res.status(201).json(view(req.session));
}

/** DELETE /api/session */
async function signOut(req, res) {
  const before = await leaveEverything(req);
  await endSession(req);
  disconnect(req, before);
  res.clearCookie(COOKIE).status(204).end();
}

function nameOf(body) {
  const name = typeof body?.name === 'string' ? body.name.trim() : '';
  if (name === '' || [...name].length > LONGEST_NAME) {
    throw new HttpError(400, `A name has 1 to ${LONGEST_NAME} characters`);
  }
  // PostgreSQL stores no U+0000, and the others are no part of a name either.
  if (/\p{Cc}/u.test(name)) throw new HttpError(400, 'A name has no control characters');
  return name;
}

/** Whoever signs in anew, or out, is in no room any more. Gives the user that was signed in. */
async function leaveEverything(req) {
  const { user } = req.session;
  if (user) await attendance.leaveAll(user);
  return user;
}

/** Only once the session is gone: a page that came back sooner would be let in again. */
function disconnect(req, user) {
  if (user) req.app.get('rooms').disconnectUser(user.id, POLICY_VIOLATION, 'Signed out');
}

module.exports = { getSession, requireUser, signIn, signOut };
