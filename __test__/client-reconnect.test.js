'use strict';

// The browser's client comes back, when it is to, and not all at once.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { nextEvent, until } = require('./support/wait');

/** Has the page count the sockets that it opens. */
const countSockets = page =>
  page.evaluate(() => {
    window.sockets = 0;
    const { WebSocket } = window;
    window.WebSocket = class extends WebSocket {
      constructor(...given) {
        super(...given);
        window.sockets += 1;
      }
    };
  });

describe('the client comes back', needsBrowser, () => {
  const open = useBrowser();

  it('after a connection that was cut', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site);
    await client.reaches('live');
    site.road.cut();
    await client.gets(3, 'state');
    assert.deepEqual(await client.states(), ['live', 'connecting', 'live']);
    await until(() => site.hub.getClientCount(1) === 1, 'the room');
  });

  it('after every close code but 1008', async t => {
    const site = await startSite(t);
    // Asked for before there can be one.
    let connection = nextEvent(site.hub, 'connection');
    const client = await openClient(t, open, site, {
      prepare: page => page.evaluate(() => (Math.random = () => 0)),
      rooms: [],
    });
    for (const code of [1000, 1001, 1011, 1012, 1013, 3000, 4008]) {
      const [member] = await connection;
      connection = nextEvent(site.hub, 'connection');
      member.close(code, 'for a test');
    }
    await connection;
    assert.deepEqual(await client.errors(), []);
    const final = site.hub.disconnectUser('ann', 1008, 'Session expired');
    assert.equal(final, 1);
    await client.reaches('closed');
    assert.deepEqual(await client.errors(), [{ error: 'Session expired', code: 1008 }]);
    assert.equal((await client.events()).at(-1).detail, 'closed');
    assert.equal((await client.events()).at(-2).type, 'error');
  });

  it('after a drain, to whatever is there then', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { options: { poll: false } });
    await client.reaches('live');
    await site.stop();
    await client.reaches('offline');
    await site.start();
    const start = performance.now();
    await client.reaches('live');
    t.diagnostic(`live ${Math.round(performance.now() - start)} ms after the server`);
    assert.deepEqual(await client.states(), ['live', 'connecting', 'offline', 'live']);
  });

  it('after waits of a random part of a bound that grows with the outage', async t => {
    const site = await startSite(t);
    const waits = [];
    const client = await openClient(t, open, site, {
      options: { poll: false },
      rooms: [],
      prepare: async page => {
        await page.exposeFunction('waited', wait => waits.push(wait));
        await page.evaluate(() => {
          // The greatest part of the bound, and no time is lost over it.
          Math.random = () => 1;
          const { setTimeout } = window;
          const clock = performance.now.bind(performance);
          let ahead = 0;
          let waits = 0;
          performance.now = () => clock() + ahead;
          window.setTimeout = (callback, ms) => {
            if (`${callback}`.includes('connect')) {
              window.waited(ms);
              // After a while it has been a long outage, by the clock of the page.
              waits += 1;
              ahead += waits === 6 ? 780_000 : ms;
              return setTimeout(callback, 1);
            }
            return setTimeout(callback, ms);
          };
        });
      },
    });
    await client.reaches('live');
    site.road.blockUpgrades();
    await until(
      () => waits.at(-1) === 30_000,
      () => `a wait of 30 s after ${waits}`,
    );
    assert.deepEqual(waits, [1_000, 2_000, 2_500, 2_500, 2_500, 2_500, 30_000]);
  });

  it('at once when the browser is online or the tab visible, with one socket', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, {
      options: { poll: false },
      prepare: async page => {
        await countSockets(page);
        await page.evaluate(() => (Math.random = () => 1));
      },
    });
    await client.reaches('live');
    site.road.blockUpgrades();
    // The next attempt is 2 s away then.
    await client.reaches('offline');
    site.road.allowUpgrades();
    const before = await client.page.evaluate(() => window.sockets);
    await client.page.evaluate(() => {
      for (let i = 0; i < 3; i++) {
        window.dispatchEvent(new Event('online'));
        document.dispatchEvent(new Event('visibilitychange'));
      }
    });
    assert.equal(await client.page.evaluate(() => window.sockets), before + 1);
    await client.reaches('live');
    assert.equal(site.hub.getStats().openConnections, 1);
  });

  it('and says meanwhile that the browser is offline', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { options: { poll: false } });
    await client.reaches('live');
    await client.fires('offline');
    assert.equal(await client.state(), 'offline');
    await client.fires('online');
    await client.reaches('live');
    assert.deepEqual(await client.states(), ['live', 'offline', 'live']);
    assert.equal(site.hub.getStats().openConnections, 1);
  });
});
