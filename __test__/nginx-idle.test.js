'use strict';

// A socket on which nothing happens, behind the nginx of docs/deploy.md: the hub's heartbeat keeps it. Times
// are shorter here, and in the same relation.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { documented, needsNginx, startNginx } = require('./support/nginx');
const { startServer } = require('./support/server');
const { nextEvent } = require('./support/wait');

const SHORT = [['proxy_read_timeout 90s;', 'proxy_read_timeout 2s;']];

async function startBehind(t, options) {
  const server = await startServer(t, options);
  const nginx = await startNginx(t, { bots: [server.port], changes: SHORT });
  const road = { url: `${nginx.origin.replace('https', 'wss')}/ws/rooms`, clients: server.clients };
  return { hub: server.hub, road };
}

describe('behind nginx', needsNginx, () => {
  it('an idle socket outlives the read timeout by the heartbeat, and without one is cut', async t => {
    const [beating, silent] = await Promise.all([
      startBehind(t, { pingInterval: 250 }),
      startBehind(t, { pingInterval: 3_600_000 }),
    ]);
    const kept = await connect(beating.road);
    const since = Date.now();
    for (let cut = 1; cut <= 2; cut += 1) {
      const ended = nextEvent(silent.hub, 'disconnect');
      const client = await connect(silent.road);
      assert.equal((await client.closed).code, 1006);
      await ended;
      t.diagnostic(`cut ${cut} after ${Date.now() - since} ms, ${kept.pings} pings to the other`);
    }
    assert.ok(kept.pings > 0);
    assert.match(await kept.ask({ action: 'PING' }), /^{"type":"PONG"/);
    assert.equal(beating.hub.getStats().openConnections, 1);
  });

  it('the times of the document are in that relation', () => {
    const [, seconds] = /proxy_read_timeout (\d+)s;/.exec(documented());
    // What ends a page that is dead has to be the hub: pingInterval and pongTimeout, by default.
    assert.ok(Number(seconds) > 25 + 20);
  });
});
