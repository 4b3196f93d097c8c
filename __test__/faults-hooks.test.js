'use strict';

// Hooks that break the rules: they answer twice, answer what cannot be read, end the connection or
// the hub that they are asked for, or take their time. Whatever they do is one verdict on one client.

const assert = require('node:assert/strict');
const signature = require('cookie-signature');
const { describe, it } = require('node:test');
const { sessionAuthenticator } = require('..');
const { startHostile } = require('./support/aftermath');
const { connect, dial } = require('./support/client');
const { aborted, kinds, questions } = require('./support/hooks');
const { OPCODE, openRaw, upgradeRequest } = require('./support/raw');
const { FORMS } = require('./support/server');
const { until } = require('./support/wait');

const TRY_AGAIN = { code: 1013, reason: 'Try again later' };
const UNVERIFIED = 'Unable to verify room membership 1';

const THEN = 'then';

/** Something that is awaited as a promise is, and settles as often as `then` says. */
const thenable = then => ({ [THEN]: then });

/** Answers `yes` first; what comes after that is no answer. */
const yesFirst = (yes, no) => ({
  'yes and no': thenable(resolve => {
    resolve(yes);
    resolve(no);
  }),
  'yes and an error': thenable((resolve, reject) => {
    resolve(yes);
    reject(new Error('late'));
  }),
  'yes, and throws': thenable(resolve => {
    resolve(yes);
    throw new Error('late');
  }),
  'yes, and no when it is acted upon': thenable(resolve => {
    resolve(yes);
    setImmediate(() => resolve(no));
  }),
});

/** None of these is an answer, though some say `yes` in the end. */
const noAnswers = yes => ({
  'an error and yes': thenable((resolve, reject) => {
    reject(new Error('broken'));
    resolve(yes);
  }),
  'by throwing where it is awaited': thenable(() => {
    throw new Error('broken');
  }),
  'what cannot be awaited': Object.defineProperty({}, THEN, {
    get() {
      throw new Error('broken');
    },
  }),
  'what cannot be read': new Proxy(
    {},
    {
      get(_, name) {
        if (name === THEN) return undefined;
        throw new Error('broken');
      },
      getPrototypeOf() {
        throw new Error('broken');
      },
    },
  ),
  'a symbol': Symbol('yes'),
  'a function': () => yes,
  'a list': [yes],
});

const failuresOf = (server, hook) =>
  Number(
    new RegExp(`^roomcast_hook_failures_total\\{hook="${hook}"\\} (\\d+)$`, 'm').exec(
      server.hub.metrics(),
    )[1],
  );

/** A hook for everybody but the client `asked`, who is answered with `answer`. */
const authenticateWith = answer => request => {
  const userId = new URL(request.url, 'ws://host').searchParams.get('userId');
  return userId === 'asked' ? answer(request) : userId;
};

for (const form of FORMS) {
  describe(`authenticate that breaks the rules, ${form}`, () => {
    for (const [how, answer] of Object.entries(yesFirst('anna', 'eve'))) {
      it(`says ${how}: the first counts`, async t => {
        const authenticate = authenticateWith(() => answer);
        const server = await startHostile(t, { form, authenticate });
        const client = await connect(server, { userId: 'asked' });
        assert.equal(JSON.parse(client.received[0]).userId, 'anna');
        await new Promise(resolve => setImmediate(resolve));
        assert.deepEqual(await client.settle(), []);
        assert.equal(failuresOf(server, 'authenticate'), 0);
        assert.deepEqual(server.log, []);
      });
    }

    for (const [how, answer] of Object.entries(noAnswers('anna'))) {
      it(`answers ${how}: a fault, once`, async t => {
        let promised = false;
        const authenticate = authenticateWith(() => (promised ? Promise.resolve(answer) : answer));
        const server = await startHostile(t, { form, authenticate });
        for (const time of [1, 2]) {
          assert.deepEqual(await dial(server, { userId: 'asked' }).closed, TRY_AGAIN);
          assert.equal(failuresOf(server, 'authenticate'), time);
          const lines = server.log.map(({ level, message }) => `${level} ${message}`);
          assert.deepEqual(lines, Array(time).fill('error authenticate failed'));
          promised = true;
        }
      });
    }

    it('closes the hub: that is the end of its client too', async t => {
      let server;
      let closing;
      const authenticate = authenticateWith(() => {
        closing = server.hub.close();
        return 'asked';
      });
      server = await startHostile(t, { form, authenticate });
      const raw = await openRaw(server);
      raw.write(upgradeRequest({ target: '/ws/rooms?userId=asked' }));
      const { status } = await raw.response();
      if (form === 'standalone') {
        // It had its 101 before anybody was asked, and its welcome may just have been under way.
        assert.equal(status, 101);
        await until(() => raw.frames.at(-1)?.opcode === OPCODE.close, 'the Close frame');
        assert.equal(raw.frames.at(-1).payload.readUInt16BE(), 1001);
        raw.terminate();
      } else {
        assert.equal(status, 503);
      }
      await raw.closed;
      await closing;
    });
  });

  describe(`authorizeJoin that breaks the rules, ${form}`, () => {
    for (const [how, answer] of Object.entries(yesFirst(true, false))) {
      it(`says ${how}: the first counts`, async t => {
        const server = await startHostile(t, { form, authorizeJoin: () => answer });
        const client = await connect(server);
        await client.join(1);
        await new Promise(resolve => setImmediate(resolve));
        assert.deepEqual(await client.settle(), []);
        assert.equal(server.hub.getClientCount(1), 1);
        assert.deepEqual(server.log, []);
      });
    }

    for (const [how, answer] of Object.entries(noAnswers(true))) {
      it(`answers ${how}: a fault, once`, async t => {
        let promised = false;
        const authorizeJoin = () => (promised ? Promise.resolve(answer) : answer);
        const server = await startHostile(t, { form, authorizeJoin });
        const client = await connect(server);
        for (const time of [1, 2]) {
          assert.deepEqual(kinds([await client.ask({ action: 'JOIN_ROOM', roomId: 1 })]), [
            UNVERIFIED,
          ]);
          assert.deepEqual(await client.settle(), []);
          assert.equal(failuresOf(server, 'authorizeJoin'), time);
          const lines = server.log.map(({ level, message }) => `${level} ${message}`);
          assert.deepEqual(lines, Array(time).fill('error authorizeJoin failed'));
          promised = true;
        }
        assert.equal(server.hub.getClientCount(1), 0);
      });
    }

    it('is slow for one client: the others join and have their updates', async t => {
      const { hook, call } = questions();
      const authorizeJoin = (client, ...more) =>
        client.userId === 'slow' ? hook(client, ...more) : true;
      // All on one thread, where one could keep another.
      const server = await startHostile(t, { form, threads: 1, authorizeJoin });
      const slow = await connect(server, { userId: 'slow' });
      slow.send({ action: 'JOIN_ROOM', roomId: 1 });
      slow.send({ action: 'PING' });
      const { resolve } = await call(0);
      for (let count = 0; count < 20; count += 1) {
        const other = await connect(server, { userId: `u${count}` });
        await other.join(1);
        await other.settle();
        server.hub.broadcastParticipantCount(1, count, 99);
        assert.equal((await other.nextMessage()).currentParticipants, count);
      }
      assert.deepEqual(slow.takeUnread(), []);
      resolve(true);
      const joined = await slow.nextMessage();
      assert.deepEqual([joined.type, joined.seq], ['ROOM_JOINED', 20]);
      assert.equal((await slow.nextMessage()).currentParticipants, 19);
      assert.equal((await slow.nextMessage()).type, 'PONG');
      server.hub.broadcastParticipantCount(1, 21, 99);
      assert.equal((await slow.nextMessage()).seq, 21);
    });

    it('closes the hub: that is the end of its client too', async t => {
      let server;
      let closing;
      const authorizeJoin = () => {
        closing = server.hub.close();
        return true;
      };
      server = await startHostile(t, { form, authorizeJoin });
      const client = await connect(server);
      client.send({ action: 'JOIN_ROOM', roomId: 1 });
      assert.equal((await client.closed).code, 1001);
      await closing;
      assert.equal(server.hub.getClientCount(1), 0);
    });

    it('closes the client that it is asked about: it joins nothing', async t => {
      const authorizeJoin = client => {
        client.close(4001, 'Out');
        return true;
      };
      const server = await startHostile(t, { form, authorizeJoin });
      const client = await connect(server);
      client.send({ action: 'JOIN_ROOM', roomId: 1 });
      assert.deepEqual(await client.closed, { code: 4001, reason: 'Out' });
      assert.equal(server.hub.getClientCount(1), 0);
    });
  });

  describe(`allowedOrigins that breaks the rules, ${form}`, () => {
    const answers = {
      'http://throws.example': () => {
        throw new Error('broken');
      },
      'http://rejects.example': async () => {
        throw new Error('broken');
      },
      'http://promises.example': async () => true,
      'http://text.example': () => 'yes',
      'http://nothing.example': () => undefined,
    };
    for (const [origin, answer] of Object.entries(answers)) {
      it(`is no yes: ${new URL(origin).hostname.split('.')[0]}`, async t => {
        const allowedOrigins = asked => (asked === origin ? answer() : true);
        const server = await startHostile(t, { form, allowedOrigins });
        await assert.rejects(dial(server, { origin }).opened, /403/);
        await until(() => server.log.length > 0, 'a line of the log');
        const lines = server.log.map(({ level, message }) => `${level} ${message}`);
        assert.deepEqual(lines, ['error allowedOrigins failed']);
        await connect(server, { origin: 'http://fine.example' });
      });
    }
  });
}

for (const form of ['http', 'https']) {
  describe(`authenticate that ends the connection, ${form}`, () => {
    const answers = {
      'and says yes': () => 'asked',
      'and promises': async () => 'asked',
      'and rejects': async () => {
        throw new Error('broken');
      },
      'and throws': () => {
        throw new Error('broken');
      },
    };
    for (const [how, answer] of Object.entries(answers)) {
      it(`${how}, has ended it`, async t => {
        let signal;
        const authenticate = (request, options) => {
          const userId = new URL(request.url, 'ws://host').searchParams.get('userId');
          if (userId !== 'asked') return userId;
          ({ signal } = options);
          request.socket.destroy();
          return answer();
        };
        const server = await startHostile(t, { form, authenticate });
        const raw = await openRaw(server);
        raw.write(upgradeRequest({ target: '/ws/rooms?userId=asked' }));
        await raw.closed;
        await assert.rejects(raw.response(), /closed before a response/);
        assert.equal(server.hub.getStats().openConnections, 0);
        if (how === 'and promises') await aborted(signal);
      });
    }
  });
}

describe('userFrom of sessionAuthenticator', () => {
  const secret = 'of the test';
  const cookie = `sid=${encodeURIComponent(`s:${signature.sign('1', secret)}`)}`;
  const start = (t, userFrom) => {
    const session = { cookie: { expires: new Date(Date.now() + 600_000) } };
    const loadSession = sid => (sid === '1' ? session : null);
    const bySession = sessionAuthenticator({ cookieName: 'sid', secret, loadSession, userFrom });
    const authenticate = request => (request.url.endsWith('fresh') ? 'fresh' : bySession(request));
    return startHostile(t, { authenticate, allowedOrigins: () => true });
  };

  it('may promise, also where the session has an end', async t => {
    const server = await start(t, async () => 'anna');
    const client = dial(server, { headers: { cookie } });
    assert.equal((await client.nextMessage()).userId, 'anna');
  });

  it('that rejects is a fault', async t => {
    const server = await start(t, async () => {
      throw new Error('broken');
    });
    assert.deepEqual(await dial(server, { headers: { cookie } }).closed, TRY_AGAIN);
  });
});
