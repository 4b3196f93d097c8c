'use strict';

// A page in many rooms: it comes back without running into the hub's limits.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { until } = require('./support/wait');

const rooms = count => Array.from({ length: count }, (_, i) => `room ${i}`);
const members = site => site.hub.getStats().totalConnections;

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  it('rejoins a hundred rooms below a rate lower than the default', async t => {
    const site = await startSite(t, { messageRate: 12, messageBurst: 60 });
    const client = await openClient(t, open, site, { rooms: rooms(100) });
    const start = performance.now();
    await until(
      () => members(site) === 100,
      () => `100 rooms: ${members(site)}`,
    );
    t.diagnostic(`${Math.round(performance.now() - start)} ms`);
    await client.answered();
    assert.deepEqual(await client.errors(), []);
    assert.deepEqual(await client.states(), ['live']);
  });

  it('joins them all where the hub takes less than that, and is not shut out', async t => {
    const site = await startSite(t, { messageRate: 8, messageBurst: 10 });
    const client = await openClient(t, open, site, { rooms: rooms(24) });
    await until(
      () => members(site) === 24,
      () => `24 rooms: ${members(site)}`,
    );
    const errors = await client.errors();
    assert.ok(errors.length > 0);
    assert.ok(errors.every(({ error }) => error === 'Rate limit exceeded'));
    assert.deepEqual(await client.states(), ['live']);
  });
});
