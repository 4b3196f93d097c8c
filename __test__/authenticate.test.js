'use strict';

// Who a connection is: sessionAuthenticator, and what counts as a verdict.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { sign } = require('cookie-signature');
const { isSessionAuthenticator, sessionAuthenticator } = require('../lib/authenticate.js');
const { verdictOf } = require('../lib/verdict.js');

const secret = 'keyboard cat';

function requestWith(cookie) {
  return { headers: { cookie } };
}

/** A cookie in the form that express-session writes. */
function sessionCookie(sid, by = secret, name = 'connect.sid') {
  return `${name}=${encodeURIComponent(`s:${sign(sid, by)}`)}`;
}

/** A store of one session, and the ids that were asked for. */
function store(session, found = value => value) {
  const asked = [];
  return {
    asked,
    loadSession(sid) {
      asked.push(sid);
      return found(sid === 'abc' ? session : null);
    },
  };
}

function authenticatorOf(session, more) {
  const { loadSession } = store(session);
  return sessionAuthenticator({ cookieName: 'connect.sid', secret, loadSession, ...more });
}

const good = requestWith(sessionCookie('abc'));

describe('sessionAuthenticator', () => {
  it("answers the session's user", () => {
    assert.equal(authenticatorOf({ user: { id: 7 } })(good), 7);
    assert.equal(authenticatorOf({ user: { id: 'ann' } })(good), 'ann');
  });

  it('waits for a store that answers later', async () => {
    const { loadSession } = store({ user: { id: 7 } }, async value => value);
    const authenticate = sessionAuthenticator({ cookieName: 'connect.sid', secret, loadSession });
    assert.equal(await authenticate(good), 7);
    assert.equal(await authenticate(requestWith(sessionCookie('other'))), null);
  });

  it('hands on what the store throws', async () => {
    const failing = loadSession =>
      sessionAuthenticator({ cookieName: 'connect.sid', secret, loadSession });
    const down = new Error('store is down');
    const throwing = failing(() => {
      throw down;
    });
    assert.throws(() => throwing(good), down);
    await assert.rejects(failing(() => Promise.reject(down))(good), down);
  });

  it('finds the cookie among others', () => {
    const cookie = `a=1; ${sessionCookie('abc')}; connect.sid.other=2`;
    assert.equal(authenticatorOf({ user: { id: 7 } })(requestWith(cookie)), 7);
  });

  it('takes a signature by any of several secrets', () => {
    const authenticate = authenticatorOf({ user: { id: 7 } }, { secret: ['new', 'old'] });
    assert.equal(authenticate(requestWith(sessionCookie('abc', 'new'))), 7);
    assert.equal(authenticate(requestWith(sessionCookie('abc', 'old'))), 7);
    assert.equal(authenticate(requestWith(sessionCookie('abc', 'older'))), null);
  });

  it('asks for no session where the cookie is missing or not signed right', () => {
    const { asked, loadSession } = store({ user: { id: 7 } });
    const authenticate = sessionAuthenticator({ cookieName: 'connect.sid', secret, loadSession });
    const signed = sign('abc', secret);
    const cookies = [
      undefined,
      '',
      'connect.sid',
      'connect.sid=',
      'connect.sid=abc',
      'connect.sid=s:',
      'connect.sid=s:abc',
      'connect.sid=s:abc.',
      'connect.sid=%',
      `connect.sid=${encodeURIComponent(signed)}`,
      `connect.sid=${encodeURIComponent(`s:${signed}x`)}`,
      `connect.sid=${encodeURIComponent(`s:${signed.replace('abc', 'abd')}`)}`,
      sessionCookie('', secret),
      sessionCookie('abc', 'another secret'),
      sessionCookie('abc', secret, 'other.sid'),
    ];
    for (const cookie of cookies) assert.equal(authenticate(requestWith(cookie)), null, cookie);
    assert.deepEqual(asked, []);
  });

  it('refuses sessions that are gone or have no user', () => {
    for (const session of [null, undefined, false, {}, { user: null }, { user: {} }]) {
      assert.equal(authenticatorOf(session)(good), null);
    }
  });

  it('lets userFrom say who it is', () => {
    const session = { passport: { user: 'ann' } };
    const userFrom = ({ passport }) => ({ userId: passport.user, data: 'hers' });
    assert.deepEqual(authenticatorOf(session, { userFrom })(good), { userId: 'ann', data: 'hers' });
    assert.equal(authenticatorOf(session, { userFrom: () => null })(good), null);
  });

  it('ends the connection with the session', () => {
    const expires = new Date('2030-01-01T00:00:00Z');
    const expiresAt = expires.getTime();
    const session = { user: { id: 7 }, cookie: { expires } };
    assert.deepEqual(authenticatorOf(session)(good), { userId: 7, expiresAt });
    session.cookie.expires = expires.toISOString();
    assert.deepEqual(authenticatorOf(session)(good), { userId: 7, expiresAt });
    const withUser = user => authenticatorOf(session, { userFrom: () => user })(good);
    assert.deepEqual(withUser({ userId: 1, data: 2 }), { userId: 1, data: 2, expiresAt });
    assert.deepEqual(withUser({ userId: 1, expiresAt: 5 }), { userId: 1, expiresAt: 5 });
    assert.equal(withUser(null), null);
  });

  it('knows sessions that do not end', () => {
    for (const expires of [null, undefined, false, 'never', new Date(Number.NaN)]) {
      assert.equal(authenticatorOf({ user: { id: 7 }, cookie: { expires } })(good), 7);
    }
  });

  it('is known for what it is', () => {
    assert.equal(isSessionAuthenticator(authenticatorOf({})), true);
    assert.equal(
      isSessionAuthenticator(() => null),
      false,
    );
    assert.equal(isSessionAuthenticator(undefined), false);
  });

  it('refuses options that are wrong', () => {
    const right = { cookieName: 'sid', secret, loadSession() {} };
    const throwsFor = (options, pattern) =>
      assert.throws(
        () => sessionAuthenticator(options),
        error => error instanceof TypeError && pattern.test(error.message),
      );
    throwsFor(undefined, /^options must be an object, got undefined/);
    throwsFor({ ...right, cookieName: '' }, /^options\.cookieName must be /);
    throwsFor({ ...right, loadSession: undefined }, /^options\.loadSession must be a function/);
    throwsFor({ ...right, userFrom: 'id' }, /^options\.userFrom must be a function/);
    throwsFor(
      { ...right, cookiename: 'sid' },
      /^options\.cookiename is unknown: did you mean cookieName\?$/,
    );
    for (const wrong of [undefined, '', [], ['good', ''], [1], 7]) {
      throwsFor(
        { ...right, secret: wrong },
        /^options\.secret must be a non-empty string or a list/,
      );
    }
  });
});

describe('verdicts', () => {
  it('are a user', () => {
    assert.deepEqual(verdictOf('ann'), { kind: 'ok', userId: 'ann' });
    assert.deepEqual(verdictOf(7), { kind: 'ok', userId: '7' });
    assert.deepEqual(verdictOf({ userId: 7, data: 'x', expiresAt: 12.7 }), {
      kind: 'ok',
      userId: '7',
      data: 'x',
      expiresAt: 12,
    });
    const forever = verdictOf({ userId: 7, expiresAt: Number.POSITIVE_INFINITY });
    assert.equal(forever.expiresAt, undefined);
  });

  it('are no where there is nobody', () => {
    for (const nobody of [null, undefined, false]) assert.equal(verdictOf(nobody).kind, 'denied');
  });

  it('are a fault where they are anything else, and say what would be right', () => {
    const wrong = [
      true,
      '',
      1.5,
      2 ** 53,
      1n,
      'x'.repeat(129),
      {},
      { userId: null },
      [],
      { id: 7 },
    ];
    for (const answer of wrong) {
      assert.throws(
        () => verdictOf(answer),
        error => error instanceof TypeError && /^authenticate's answer must /.test(error.message),
      );
    }
    for (const expiresAt of [new Date(), '2030', Number.NaN, null]) {
      assert.throws(() => verdictOf({ userId: 7, expiresAt }), /^TypeError: expiresAt must be /);
    }
  });
});
