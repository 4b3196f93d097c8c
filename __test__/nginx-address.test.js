'use strict';

// Who the client is, and which page it belongs to, behind the nginx of docs/deploy.md.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, it } = require('node:test');
const { sessionAuthenticator } = require('..');
const { connect, dial } = require('./support/client');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { needsNginx, startNginx, substitute } = require('./support/nginx');
const { startServer } = require('./support/server');
const { until } = require('./support/wait');

/** Another loopback address than nginx' own, so that the two cannot be mistaken. */
const HERE = '127.0.0.2';

/** A hub behind nginx; `clients` are those that it has seen. */
async function startBehind(t, options, changesFor = () => []) {
  const server = await startServer(t, { trustProxy: 1, ...options });
  const clients = [];
  server.hub.on('connection', client => clients.push(client));
  const nginx = await startNginx(t, { bots: [server.port], changes: changesFor(server.port) });
  const road = { url: `${nginx.origin.replace('https', 'wss')}/ws/rooms`, clients: server.clients };
  return { server, nginx, road, clients };
}

const documentBlocks = codeBlocks(path.join(__dirname, '../docs/deploy.md'));

const lines = (readme, port) =>
  substitute(codeUnder(readme, 'Behind nginx', 'nginx'), [['127.0.0.1:3000', `127.0.0.1:${port}`]]);

describe('behind nginx', needsNginx, () => {
  it("a client has the browser's address", async t => {
    const { road, clients } = await startBehind(t);
    await connect(road, { localAddress: HERE });
    await until(() => clients.length === 1, 'the event');
    assert.equal(clients[0].remoteAddress, HERE);
  });

  it('what the browser claims of its address is not believed', async t => {
    const { road, clients } = await startBehind(t);
    for (const claim of ['10.9.8.7', '10.9.8.7, 10.6.5.4', 'unknown', '127.0.0.1']) {
      await connect(road, { localAddress: HERE, headers: { 'X-Forwarded-For': claim } });
    }
    await until(() => clients.length === 4, 'the events');
    assert.deepEqual(
      clients.map(client => client.remoteAddress),
      [HERE, HERE, HERE, HERE],
    );
  });

  it("the hub's own limit of one address counts browsers, not nginx", async t => {
    const { road } = await startBehind(t, { maxConnectionsPerIp: 1 });
    await connect(road, { localAddress: '127.0.0.2' });
    await connect(road, { localAddress: '127.0.0.3' });
    const refused = dial(road, {
      localAddress: '127.0.0.2',
      headers: { 'X-Forwarded-For': '127.0.0.9' },
    });
    await assert.rejects(refused.opened, /429/);
  });

  it('the bot is told the scheme and the host that the page was asked by', async t => {
    const asked = [];
    const { nginx, road } = await startBehind(t, {
      app: ({ headers }, response) => response.end(JSON.stringify(headers)),
      authenticate: ({ headers }) => {
        asked.push(headers);
        return 'user';
      },
    });
    const claims = { 'X-Forwarded-Proto': 'http', 'X-Forwarded-Host': 'elsewhere.example' };
    await connect(road, { headers: claims });
    asked.push(JSON.parse((await nginx.ask('/', { headers: claims })).body));
    const { host } = new URL(nginx.origin);
    for (const headers of asked) {
      assert.equal(headers.host, host);
      assert.equal(headers['x-forwarded-host'], host);
      assert.equal(headers['x-forwarded-proto'], 'https');
    }
  });

  it('pages of its own host may connect with their session, and no others', async t => {
    const { nginx, road } = await startBehind(t, {
      authenticate: sessionAuthenticator({
        cookieName: 'connect.sid',
        secret: 'secret',
        loadSession: () => undefined,
      }),
    });
    const own = dial(road, { origin: nginx.origin });
    assert.deepEqual(await own.closed, { code: 1008, reason: 'Unauthorized' });
    for (const origin of ['https://elsewhere.example', 'https://127.0.0.1', 'null']) {
      await assert.rejects(dial(road, { origin }).opened, /403/, origin);
    }
  });

  it('the few lines of the README do, too', async t => {
    const readme = codeBlocks(path.join(__dirname, '../README.md'));
    const { road, clients } = await startBehind(t, {}, port => [
      ['location / {\n      proxy_pass http://bot;\n    }', lines(readme, port)],
      ['location /ws/ {', 'location /elsewhere/ {'],
    ]);
    await connect(road, { localAddress: HERE, headers: { 'X-Forwarded-For': '10.9.8.7' } });
    await until(() => clients.length === 1, 'the event');
    assert.equal(clients[0].remoteAddress, HERE);
  });

  it('with a delivery network in front, a client has the address that the network gives', async t => {
    const block = codeUnder(documentBlocks, 'Who the client is, behind a proxy', 'nginx');
    const trusted = substitute(block, [['203.0.113.0/24', '127.0.0.3/32']]);
    const { road, clients } = await startBehind(t, {}, () => [
      ['server_tokens off;', `server_tokens off;\n${trusted}`],
    ]);
    const dialFrom = (localAddress, given) =>
      connect(road, { localAddress, headers: { 'X-Forwarded-For': given } });
    await dialFrom('127.0.0.3', '198.51.100.7');
    await dialFrom('127.0.0.3', '10.9.8.7, 198.51.100.7');
    // Whoever comes around the network is who it is.
    await dialFrom(HERE, '198.51.100.7');
    await until(() => clients.length === 3, 'the events');
    assert.deepEqual(
      clients.map(client => client.remoteAddress),
      ['198.51.100.7', '198.51.100.7', HERE],
    );
  });
});
