'use strict';

// How many connections there may be, in all and of one address, and from whose pages: one that is
// over is refused before the upgrade. It costs no session and no question to the bot, and is counted.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { openRaw, upgradeRequest } = require('./support/raw');
const { sampleOf } = require('./support/sample');
const { FORMS } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

/** Asks for an upgrade; who gets it stays connected. */
async function knock(server, headers = {}) {
  const raw = await openRaw(server);
  raw.write(upgradeRequest({ headers }));
  return { raw, ...(await raw.response()) };
}

/** The statuses that clients get who knock one after the other, each with its X-Forwarded-For. */
async function statusesOf(server, forwarded) {
  const statuses = [];
  for (const value of forwarded) {
    const headers = typeof value === 'string' ? { 'X-Forwarded-For': value } : value;
    statuses.push((await knock(server, headers)).status);
  }
  return statuses;
}

const refusalsOf = ({ hub }, reason) => sampleOf(hub, `refusals_total{reason="${reason}"}`);

const LIMITS = [
  ['maxConnections', 503, 'limit'],
  ['maxConnectionsPerIp', 429, 'address_limit'],
];

for (const form of FORMS) {
  for (const [option, refusal, reason] of LIMITS) {
    describe(`${option}, ${form}`, () => {
      it(`refuses one more with ${refusal}, and the bot is not asked who that is`, async t => {
        const asked = [];
        const authenticate = request => {
          asked.push(request.url);
          return 'user';
        };
        const options = { form, makeRoom: true, [option]: 2, authenticate };
        const server = await startHostile(t, options);
        const first = await connect(server);
        await connect(server);
        for (let over = 1; over <= 3; over += 1) {
          const { raw, status, headers } = await knock(server);
          assert.equal(status, refusal);
          assert.match(headers['retry-after'], /^[1-9]\d*$/);
          await raw.closed;
          assert.equal(refusalsOf(server, reason), over);
        }
        assert.equal(sampleOf(server.hub, 'connections_total'), 2);
        assert.equal(sampleOf(server.hub, 'connections'), 2);

        await first.close();
        await until(() => sampleOf(server.hub, 'connections') === 1, 'a free place');
        await connect(server);
        assert.equal(asked.length, 3);
      });

      // Where the bot decides on origins, all of them have been looked at before one is let in.
      for (const [how, allowedOrigins] of [
        ['at once', undefined],
        ['at once and wait for the word on their origin', () => true],
      ]) {
        it(`is exact for many that come ${how}`, async t => {
          const [most, many] = [10, 60];
          const options = { form, makeRoom: true, threads: 4, [option]: most, allowedOrigins };
          const server = await startHostile(t, options);
          const raws = await Promise.all(Array.from({ length: many }, () => openRaw(server)));
          for (const raw of raws) raw.write(upgradeRequest());
          const responses = await Promise.all(raws.map(raw => raw.response()));
          const count = wanted => responses.filter(({ status }) => status === wanted).length;
          assert.deepEqual([count(101), count(refusal)], [most, many - most]);
          assert.equal(sampleOf(server.hub, 'connections_total'), most);
          assert.equal(refusalsOf(server, reason), many - most);
        });
      }
    });
  }

  describe(`the address that is counted, ${form}`, () => {
    const start = (t, trustProxy) =>
      startHostile(t, { form, makeRoom: true, maxConnectionsPerIp: 1, trustProxy });

    it("is the socket's where no proxy is trusted, whatever the client writes", async t => {
      const server = await start(t);
      const forged = ['192.0.2.1', '192.0.2.2', '127.0.0.2', '::1', 'unknown', {}];
      assert.deepEqual(await statusesOf(server, forged), [101, 429, 429, 429, 429, 429]);
      assert.equal(refusalsOf(server, 'address_limit'), 5);
    });

    it('is what the one trusted proxy has appended, whatever the client wrote before it', async t => {
      const server = await start(t, 1);
      const forged = [
        '198.51.100.1, 192.0.2.1',
        '192.0.2.1',
        '198.51.100.2, 192.0.2.1',
        '198.51.100.3, 198.51.100.4, 192.0.2.1',
        'unknown,, , "<>", 192.0.2.1',
        `${'198.51.100.5,'.repeat(500)} 192.0.2.1`,
        // The same address in other words.
        '192.0.2.1:4711',
        '::ffff:192.0.2.1',
        // The client's own line, and behind it the proxy's.
        { 'x-forwarded-for': '198.51.100.6', 'X-Forwarded-For': '192.0.2.1' },
      ];
      const statuses = await statusesOf(server, forged);
      assert.deepEqual(statuses, [101, ...forged.slice(1).map(() => 429)]);
      assert.equal(refusalsOf(server, 'address_limit'), forged.length - 1);
      assert.deepEqual(await statusesOf(server, ['192.0.2.1, 192.0.2.2']), [101]);
    });

    it('is what the outer of two trusted proxies has appended', async t => {
      const server = await start(t, 2);
      const forged = [
        '192.0.2.1, 203.0.113.9',
        '198.51.100.1, 192.0.2.1, 203.0.113.9',
        '198.51.100.2, 192.0.2.1, 203.0.113.10',
        '192.0.2.2, 203.0.113.9',
      ];
      assert.deepEqual(await statusesOf(server, forged), [101, 429, 429, 101]);
    });

    it('is the first that is no trusted network, from the right', async t => {
      const server = await start(t, ['127.0.0.1', '10.0.0.0/8']);
      const forged = [
        '192.0.2.1',
        // A client that claims to be a proxy is none for it.
        '10.1.1.1, 192.0.2.1',
        '192.0.2.1, 10.1.1.1',
        '198.51.100.1, 192.0.2.1, 10.1.1.1, 10.2.2.2',
        '192.0.2.2, 10.1.1.1',
      ];
      assert.deepEqual(await statusesOf(server, forged), [101, 429, 429, 429, 101]);
    });

    it("is the socket's where that is no trusted proxy", async t => {
      const server = await start(t, ['10.0.0.0/8']);
      assert.deepEqual(await statusesOf(server, ['192.0.2.1', '10.1.1.1', {}]), [101, 429, 429]);
    });
  });

  describe(`allowedOrigins, ${form}`, () => {
    const page = 'https://page.example';
    for (const [name, allowedOrigins] of [
      ['a list', [page]],
      ['a function', origin => origin === page],
    ]) {
      it(`refuses other pages with 403, and the bot is not asked who that is: ${name}`, async t => {
        let asked = 0;
        const authenticate = () => {
          asked += 1;
          return 'user';
        };
        const fresh = { origin: page };
        const server = await startHostile(t, { form, fresh, allowedOrigins, authenticate });
        const others = ['https://evil.example', 'https://page.example.evil.example', 'null'];
        for (const [at, Origin] of others.entries()) {
          const { raw, status } = await knock(server, { Origin });
          assert.equal(status, 403, Origin);
          await raw.closed;
          assert.equal(refusalsOf(server, 'origin'), at + 1);
        }
        assert.equal(sampleOf(server.hub, 'connections_total'), 0);
        await connect(server, fresh);
        assert.equal(asked, 1);
      });
    }
  });
}

describe('maxConnections, standalone', () => {
  it('bounds those that say nothing, too: the oldest make room for who does speak', async t => {
    const [silent, most] = [1_100, 1_024];
    const options = { threads: 1, maxConnections: 10, handshakeTimeout: 600_000 };
    const server = await startHostile(t, { form: 'standalone', ...options });
    const raws = [];
    for (let number = 0; number < silent; number += 1) raws.push(await openRaw(server));
    await until(() => refusalsOf(server, 'limit') === silent - most, 'those that are too many');
    await Promise.all(raws.slice(0, silent - most).map(raw => raw.closed));
    assert.equal(raws.filter(({ socket }) => socket.destroyed).length, silent - most);
    await connect(server);
    assert.equal(sampleOf(server.hub, 'connections_total'), 1);
  });
});

describe('a link-local address', () => {
  it('is counted without its zone', async t => {
    const server = await startHostile(t, { makeRoom: true, maxConnectionsPerIp: 1 });
    // As Node has it for a neighbour in the same network, which no test can count on.
    server.server.on('connection', socket => {
      Object.defineProperty(socket, 'remoteAddress', { value: 'fe80::1%eth0' });
    });
    const connected = nextEvent(server.hub, 'connection');
    assert.deepEqual(await statusesOf(server, [{}, {}]), [101, 429]);
    const [client] = await connected;
    assert.equal(client.remoteAddress, 'fe80::1');
  });
});
