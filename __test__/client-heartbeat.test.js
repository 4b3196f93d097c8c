'use strict';

// A connection that is dead without having ended: the browser says nothing of it.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { until } = require('./support/wait');

const PING_EVERY_MS = 25_000;

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  it('finds a dead connection within two intervals', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { options: { pingInterval: 300 } });
    await client.reaches('live');
    site.road.freeze();
    const start = performance.now();
    await until(async () => (await client.state()) !== 'live', 'the end');
    t.diagnostic(`found after ${Math.round(performance.now() - start)} ms`);
    site.road.thaw();
    await client.reaches('live');
  });

  it('lets no living one go, however quiet it is', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { prepare: page => page.clock.install() });
    await client.reaches('live');
    for (let i = 1; i <= 6; i++) {
      await client.page.clock.runFor(PING_EVERY_MS);
      // The PONG has come when the answer to a later message has.
      await client.answered();
    }
    assert.match(site.hub.metrics(), /messages_received_total\{action="PING"\} 6\n/);
    assert.deepEqual(await client.states(), ['live']);
  });

  it('recovers after half an hour of sleep', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { prepare: page => page.clock.install() });
    await client.answered();
    site.road.freeze();
    await client.page.clock.fastForward('30:00');
    for (let i = 0; i < 20; i++) site.hub.broadcastRoomUpdate(1, `P${i}`, i, 50, 'join');
    site.road.thaw();
    // Within two intervals at the most, whatever the timers did meanwhile.
    await client.page.clock.runFor(2 * PING_EVERY_MS);
    await client.page.clock.runFor(2_500);
    const updates = await client.updated(20);
    assert.deepEqual(
      updates.map(update => update.seq),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
  });

  it('proves the connection when the tab becomes visible, and gives it 5 s', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { prepare: page => page.clock.install() });
    await client.answered();
    site.road.freeze();
    // What is new gets through; what was there stays dead.
    site.road.thaw();
    await client.fires('visibilitychange');
    // The clock goes on by itself, too.
    await client.page.clock.runFor(3_500);
    assert.equal(await client.state(), 'live');
    await client.page.clock.runFor(1_600);
    await client.page.clock.runFor(1_000);
    await client.gets(3, 'state');
    assert.deepEqual(await client.states(), ['live', 'connecting', 'live']);
  });

  it('gives up an attempt that nobody answers', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, {
      options: { poll: false },
      prepare: async page => {
        await page.clock.install();
        await page.evaluate(() => import('/room-client.js'));
        site.road.freeze();
      },
    });
    await client.page.clock.runFor(15_100);
    assert.equal(await client.state(), 'offline');
    site.road.thaw();
    await client.page.clock.runFor(2_500);
    await client.reaches('live');
  });
});
