'use strict';

// `sessionAuthenticator` against the cookies that express-session really sets, against such as
// cookie-signature makes by hand, and against pages of other sites, whose requests carry the cookie
// too.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { sign } = require('cookie-signature');
const express = require('express');
const session = require('express-session');
const { sessionAuthenticator, setupRoomWebSocketServer } = require('..');
const { connect, dial } = require('./support/client');
const { openRaw, upgradeRequest } = require('./support/raw');
const { FORMS, createServer, listen, startServer, stopServer } = require('./support/server');

const SECRET = 'keyboard cat';
const UNAUTHORIZED = { code: 1008, reason: 'Unauthorized' };

/** The cookie header of a session id, as express-session forms it. */
function cookieOf(sid, secret = SECRET, name = 'connect.sid') {
  return `${name}=${encodeURIComponent(`s:${sign(sid, secret)}`)}`;
}

const sessions = {
  'sid-1': { user: { id: 42, firstName: 'Anna' } },
  'sid-2': { user: { id: 'ben' } },
  'sid-3': {},
  'sid-4': { user: {} },
  'sid-5': { account: 'carl' },
};

/** A server with the authenticator; `from` connects as a page of the server's own host. */
async function start(t, { form = 'http', hub = {}, ...options } = {}) {
  const authenticate = sessionAuthenticator({
    cookieName: 'connect.sid',
    secret: SECRET,
    loadSession: sid => sessions[sid] ?? null,
    ...options,
  });
  const server = await startServer(t, { form, authenticate, ...hub });
  const origin = `${server.secure ? 'https' : 'http'}://127.0.0.1:${server.port}`;
  return {
    server,
    origin,
    from: cookie => dial(server, { userId: null, origin, headers: { Cookie: cookie } }),
  };
}

/** The status of an upgrade with that Origin. */
async function statusFrom(server, origin, cookie = cookieOf('sid-1')) {
  const raw = await openRaw(server);
  const Host = `127.0.0.1:${server.port}`;
  raw.write(upgradeRequest({ headers: { Host, Origin: origin, Cookie: cookie } }));
  return (await raw.response()).status;
}

for (const form of FORMS) {
  describe(`a session cookie, ${form}`, () => {
    it('is good where its signature is and its session is known', async t => {
      const { from } = await start(t, { form });
      assert.equal((await from(cookieOf('sid-1')).nextMessage()).userId, '42');
      assert.equal((await from(cookieOf('sid-2')).nextMessage()).userId, 'ben');
      const among = `theme=dark; ${cookieOf('sid-2')}; lang=fr`;
      assert.equal((await from(among).nextMessage()).userId, 'ben');
    });

    it('is refused otherwise', async t => {
      const { from } = await start(t, { form });
      const bad = {
        'no cookie at all': 'theme=dark',
        'another name': cookieOf('sid-1', SECRET, 'sid'),
        'another secret': cookieOf('sid-1', 'another'),
        'a signature cut short': cookieOf('sid-1').slice(0, -3),
        'a signature of another session': `${cookieOf('sid-1').replace('sid-1', 'sid-2')}`,
        'no signature': 'connect.sid=s%3Asid-1',
        'no mark of a signed cookie': `connect.sid=${encodeURIComponent(sign('sid-1', SECRET))}`,
        'a bare session id': 'connect.sid=sid-1',
        'an escape that is none': 'connect.sid=s%3%ZZ',
        'an empty value': 'connect.sid=',
        'an unknown session': cookieOf('sid-9'),
        'a session without a user': cookieOf('sid-3'),
        'a user without an id': cookieOf('sid-4'),
      };
      for (const [name, cookie] of Object.entries(bad)) {
        assert.deepEqual(await from(cookie).closed, UNAUTHORIZED, name);
      }
    });

    it('may be signed with any of several secrets', async t => {
      const { from } = await start(t, { form, secret: ['new', 'old', 'older'] });
      for (const secret of ['new', 'old', 'older']) {
        assert.equal((await from(cookieOf('sid-1', secret)).nextMessage()).userId, '42', secret);
      }
      assert.deepEqual(await from(cookieOf('sid-1', SECRET)).closed, UNAUTHORIZED);
    });

    it('is refused to the pages of other sites', async t => {
      const { server, origin } = await start(t, { form });
      assert.equal(await statusFrom(server, origin), 101);
      for (const foreign of [
        'http://evil.example',
        `http://evil.example:${server.port}`,
        `${origin}.evil.example`,
        `${origin}0`,
        'http://127.0.0.1:1',
        'null',
        'not an origin',
      ]) {
        assert.equal(await statusFrom(server, foreign), 403, foreign);
      }
    });

    it('is taken from the origins that the bot allows instead', async t => {
      const hub = { allowedOrigins: ['https://page.example'] };
      const { server, origin } = await start(t, { form, hub });
      assert.equal(await statusFrom(server, 'https://page.example'), 101);
      assert.equal(await statusFrom(server, 'http://page.example'), 403);
      assert.equal(await statusFrom(server, 'https://page.example:8443'), 403);
      assert.equal(await statusFrom(server, origin), 403);
    });
  });

  describe(`allowedOrigins, ${form}`, () => {
    it('allows any where nothing is said and no cookie counts', async t => {
      const server = await startServer(t, { form });
      assert.equal(await statusFrom(server, 'http://elsewhere.example'), 101);
      assert.equal(await statusFrom(server, null), 101);
    });

    it('may be a list', async t => {
      const server = await startServer(t, {
        form,
        allowedOrigins: ['http://a.example', 'http://b.example'],
      });
      assert.equal(await statusFrom(server, 'http://a.example'), 101);
      assert.equal(await statusFrom(server, 'http://b.example'), 101);
      assert.equal(await statusFrom(server, 'http://c.example'), 403);
    });

    it('may be a function of the origin', async t => {
      const asked = [];
      const allowedOrigins = origin => {
        asked.push(origin);
        return origin?.endsWith('.page.example');
      };
      const server = await startServer(t, { form, allowedOrigins });
      assert.equal(await statusFrom(server, 'https://a.page.example'), 101);
      assert.equal(await statusFrom(server, 'https://b.other.example'), 403);
      assert.deepEqual(asked, ['https://a.page.example', 'https://b.other.example']);
    });
  });
}

describe('sessionAuthenticator', () => {
  it("asks the bot's own loadSession, which may promise", async t => {
    const asked = [];
    const loadSession = async sid => {
      asked.push(sid);
      return sessions[sid];
    };
    const { from } = await start(t, { loadSession });
    assert.equal((await from(cookieOf('sid-1')).nextMessage()).userId, '42');
    await from(cookieOf('sid-1', 'another')).closed;
    assert.deepEqual(asked, ['sid-1'], 'a bad signature is not looked up');
  });

  it('takes a loadSession that fails for a fault and not for a verdict', async t => {
    const failures = [
      () => {
        throw new Error('the store is away');
      },
      () => Promise.reject(new Error('the store is away')),
    ];
    for (const loadSession of failures) {
      const { from } = await start(t, { loadSession });
      assert.deepEqual(await from(cookieOf('sid-1')).closed, {
        code: 1013,
        reason: 'Try again later',
      });
    }
  });

  it('takes the user that userFrom says', async t => {
    const userFrom = ({ account }) =>
      account ? { userId: account, data: { from: 'session' } } : null;
    const { server, from } = await start(t, { userFrom });
    const connected = new Promise(resolve => server.hub.once('connection', resolve));
    assert.equal((await from(cookieOf('sid-5')).nextMessage()).userId, 'carl');
    assert.deepEqual((await connected).data, { from: 'session' });
    assert.deepEqual(await from(cookieOf('sid-1')).closed, UNAUTHORIZED);
  });

  it('accepts what express-session sets, and no longer what it has destroyed', async t => {
    const store = new session.MemoryStore();
    const app = express();
    app.use(
      session({ store, secret: ['next', 'current'], resave: false, saveUninitialized: false }),
    );
    app.get('/login', (request, response) => {
      request.session.user = { id: 1001 };
      response.end();
    });
    app.get('/logout', (request, response) => request.session.destroy(() => response.end()));
    const server = createServer('http', app);
    const authenticate = sessionAuthenticator({
      cookieName: 'connect.sid',
      secret: ['next', 'current'],
      loadSession: sid =>
        new Promise((resolve, reject) => {
          store.get(sid, (error, found) => (error ? reject(error) : resolve(found)));
        }),
    });
    const hub = setupRoomWebSocketServer(server, { authenticate, logger: false });
    const port = await listen(server);
    const started = { hub, server, port, url: `ws://127.0.0.1:${port}/ws/rooms`, clients: [] };
    t.after(() => stopServer(started));

    const origin = `http://127.0.0.1:${port}`;
    const login = await fetch(`${origin}/login`);
    const Cookie = login.headers.get('set-cookie').split(';')[0];
    const client = await connect(started, { userId: null, origin, headers: { Cookie } });
    assert.equal((await client.join(1)).userId, '1001');
    await fetch(`${origin}/logout`, { headers: { Cookie } });
    const late = dial(started, { userId: null, origin, headers: { Cookie } });
    assert.deepEqual(await late.closed, UNAUTHORIZED);
  });
});
