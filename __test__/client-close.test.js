'use strict';

// close() leaves nothing behind, in whatever state it finds the client.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { nextEvent, until } = require('./support/wait');

/** Keeps account of the page's timers, requests and sockets. */
function keepAccount() {
  const timers = new Set();
  const { setTimeout, clearTimeout, fetch, WebSocket } = window;
  const account = { timers, fetches: 0, sockets: [] };
  window.account = account;
  window.setTimeout = (callback, ms) => {
    const id = setTimeout(() => {
      timers.delete(id);
      callback();
    }, ms);
    timers.add(id);
    return id;
  };
  window.clearTimeout = id => {
    timers.delete(id);
    clearTimeout(id);
  };
  window.fetch = (...given) => {
    account.fetches += 1;
    return fetch(...given);
  };
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      account.sockets.push(this);
    }
  };
}

/** The listeners that are on the window and the document, by the browser's own account. */
async function listeners(page) {
  const session = await page.context().newCDPSession(page);
  let count = 0;
  for (const expression of ['window', 'document']) {
    const { result } = await session.send('Runtime.evaluate', { expression });
    const found = await session.send('DOMDebugger.getEventListeners', {
      objectId: result.objectId,
    });
    count += found.listeners.length;
  }
  await session.detach();
  return count;
}

describe('close()', needsBrowser, () => {
  const open = useBrowser();

  async function closesIn(t, state, setting, prepare) {
    const site = await startSite(t);
    site.hub.broadcastParticipantCount(1, 1, 50);
    let before;
    const client = await openClient(t, open, site, {
      ...setting,
      prepare: async page => {
        before = await listeners(page);
        await page.evaluate(keepAccount);
        if (prepare) await page.evaluate(() => import('/room-client.js'));
        prepare?.(site);
      },
    });
    await client.reaches(state);
    assert.ok((await listeners(client.page)) > before);
    const left = await client.page.evaluate(() => {
      window.client.close();
      window.told = window.events.length;
      window.client.close();
      window.client.join(2);
      window.client.leave(1);
      return window.account.timers.size;
    });
    assert.equal(left, 0, 'timers');
    assert.equal(await listeners(client.page), before, 'listeners');
    assert.equal(await client.state(), 'closed');
    site.road.allowUpgrades();
    site.road.thaw();
    await client.fires('online', 'offline', 'visibilitychange');
    await until(() => site.hub.getStats().openConnections === 0, 'the end of every connection');
    const { timers, states, told } = await client.page.evaluate(() => ({
      timers: window.account.timers.size,
      states: window.account.sockets.map(socket => socket.readyState),
      told: window.events.length - window.told,
    }));
    assert.equal(timers, 0, 'timers later');
    assert.equal(told, 0, 'events later');
    assert.ok(states.every(readyState => readyState >= 2));
    assert.equal((await client.states()).at(-1), 'closed');
    await assert.rejects(client.call('status', 1), /No live connection: closed/);
    return site;
  }

  it('ends a live connection with 1000', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site);
    await client.answered();
    const ended = nextEvent(site.hub, 'disconnect');
    await client.call('close');
    const [, code] = await ended;
    assert.equal(code, 1000);
  });

  it('leaves nothing of a live connection', t => closesIn(t, 'live'));

  it('leaves nothing of an attempt that is under way', t =>
    closesIn(t, 'connecting', {}, site => site.road.freeze()));

  it('leaves nothing of polls', t =>
    closesIn(t, 'polling', { options: { poll: { interval: 20 } } }, site => {
      site.road.blockUpgrades();
    }));

  it('leaves nothing where nothing worked', t =>
    closesIn(t, 'offline', { options: { poll: false } }, site => site.road.blockUpgrades()));

  it('leaves nothing where a listener calls it', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, {
      prepare: page => page.evaluate(keepAccount),
    });
    await client.reaches('live');
    await client.page.evaluate(() => {
      window.client.addEventListener('state', () => window.client.close());
    });
    site.road.cut();
    await client.reaches('closed');
    assert.deepEqual(await client.states(), ['live', 'connecting', 'closed']);
    const timers = await client.page.evaluate(() => window.account.timers.size);
    assert.equal(timers, 0);
    await until(() => site.hub.getStats().openConnections === 0, 'the end');
  });
});
