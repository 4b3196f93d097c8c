'use strict';

// What the nginx of docs/deploy.md keeps away from the bot, and what it writes down.

const assert = require('node:assert/strict');
const http = require('node:http');
const https = require('node:https');
const { describe, it } = require('node:test');
const express = require('express');
const { connect, dial } = require('./support/client');
const { needsNginx, startNginx } = require('./support/nginx');
const { startServer } = require('./support/server');
const { until } = require('./support/wait');

/** A bot that says which requests have reached it. */
async function startBehind(t) {
  const reached = [];
  const app = express();
  app.use(({ url }, _, next) => {
    reached.push(url);
    next();
  });
  app.get(['/metrics', '/monitor', '/monitor/page.js', '/api/monitor'], (_, res) => {
    res.send('not for everybody');
  });
  app.post('/api/rooms', express.text({ limit: '1mb' }), (req, res) => {
    res.send(String(req.body.length));
  });
  app.use((_, res) => res.send('plain'));
  const server = await startServer(t, { trustProxy: 1, app });
  const nginx = await startNginx(t, { bots: [server.port] });
  const road = { url: `${nginx.origin.replace('https', 'wss')}/ws/rooms`, clients: server.clients };
  return { server, nginx, road, reached };
}

/** How often each status came. */
function count(statuses) {
  const counts = {};
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

describe('behind nginx', needsNginx, () => {
  it('an address has 100 sockets, and another one has its own', async t => {
    const { road, server } = await startBehind(t);
    const first = await Promise.all(Array.from({ length: 100 }, () => connect(road)));
    await assert.rejects(dial(road).opened, /429/);
    await connect(road, { localAddress: '127.0.0.2' });
    assert.equal(server.hub.getStats().openConnections, 101);

    first[0].terminate();
    await until(() => server.hub.getStats().openConnections === 100, 'the end of one');
    await connect(road);
  });

  it('an address that asks the API too often gets 429, and the page and its sockets go on', async t => {
    const { nginx, reached, road } = await startBehind(t);
    const agent = new https.Agent({ keepAlive: true, maxSockets: 20 });
    t.after(() => agent.destroy());
    const ask = (route, options) => nginx.ask(route, { agent, ...options });
    const answers = await Promise.all(Array.from({ length: 600 }, () => ask('/api/rooms/1')));
    const counts = count(answers.map(answer => answer.status));
    t.diagnostic(JSON.stringify(counts));
    assert.ok(counts[200] >= 100, 'the burst passes');
    assert.ok(counts[429] > 0, 'what is beyond it does not');
    assert.equal(counts[200] + counts[429], 600);
    assert.equal(reached.length, counts[200]);

    assert.equal((await ask('/')).status, 200);
    await connect(road);
    assert.equal((await nginx.ask('/api/rooms/1', { localAddress: '127.0.0.2' })).status, 200);
  });

  it('metrics and monitor are not shown, however they are spelt', async t => {
    const { nginx, reached } = await startBehind(t);
    const routes = [
      ...['/metrics', '/metrics/', '/METRICS', '/metrics?x', '//metrics', '/x/../metrics'],
      ...['/%6detrics', '/metrics%2f', '/./metrics', '/metrics%00', '/metrics/.'],
      ...['/monitor', '/Monitor', '/monitor/page.js', '/monitor?since=1'],
      ...[
        '/api/monitor',
        '/api/monitor?since=1',
        '/API/monitor',
        '/api//monitor',
        '/api/./monitor',
      ],
    ];
    for (const route of routes) {
      const { status, body } = await nginx.ask(route);
      // A zero byte is no request at all to nginx.
      assert.equal(status, route.includes('%00') ? 400 : 403, route);
      assert.doesNotMatch(body, /not for everybody/);
    }
    assert.deepEqual(reached, []);
    assert.equal((await nginx.ask('/api/rooms')).status, 200);
  });

  it('a body that is longer than any of the bot ends at nginx', async t => {
    const { nginx, reached } = await startBehind(t);
    const post = length =>
      nginx.ask('/api/rooms', {
        method: 'POST',
        headers: { 'Content-Type': 'text/plain', 'Content-Length': length },
        body: 'a'.repeat(length),
      });
    assert.equal((await post(16 * 1024)).body, '16384');
    assert.equal((await post(16 * 1024 + 1)).status, 413);
    assert.equal(reached.length, 1);
  });

  it('nothing of a query is in the access log, and the address is', async t => {
    const { nginx, road } = await startBehind(t);
    const client = await connect({ ...road, url: road.url }, { query: '?userId=7&token=secret' });
    await nginx.ask('/api/rooms/1?token=secret', { localAddress: '127.0.0.2' });
    // A socket is written down when it ends.
    await client.close();
    await until(() => nginx.accesses.length === 2, 'the two lines');
    const log = nginx.accesses.join('\n');
    assert.doesNotMatch(log, /secret|userId/);
    assert.match(log, /^127\.0\.0\.1 .* "GET \/ws\/rooms HTTP\/1\.1" 101 /m);
    assert.match(log, /^127\.0\.0\.2 .* "GET \/api\/rooms\/1 HTTP\/1\.1" 200 /m);
  });

  it('whoever comes without TLS is sent to it', async t => {
    const { nginx, reached } = await startBehind(t);
    for (const port of [nginx.ports.plain, nginx.ports.plainToo]) {
      const response = await new Promise((resolve, reject) => {
        const at = {
          host: '127.0.0.1',
          port,
          path: '/rooms?id=1',
          headers: { Host: 'evil.example' },
        };
        http.get(at, resolve).once('error', reject);
      });
      response.resume();
      assert.equal(response.statusCode, 301);
      assert.equal(response.headers.location, `${nginx.origin}/rooms?id=1`);
    }
    assert.deepEqual(reached, []);
  });
});
