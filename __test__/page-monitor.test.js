'use strict';

// The monitor: what it shows is what the bot does, and it says so where the bot says nothing.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { needsBrowser, useBrowser } = require('./support/browser');
const { RoomClient } = require('./support/client');
const { signIn } = require('./support/people');
const { faintTexts, overflowing, smallTargets } = require('./support/readable');
const { layRoad } = require('./support/road');
const { until } = require('./support/wait');
const { share } = require('./support/suite');

const CHARTS = ['connections', 'rooms', 'rates', 'backlog', 'loop', 'memory'];
const CLIENTS = 25;
/** Longer than the monitor finds right for a loop. */
const HELD_UP_MS = 1_200;

async function openMonitor(page, address) {
  await page.goto(new URL('/monitor', address).href);
  await page.locator('#answers[data-state="live"]').waitFor();
  return page;
}

const value = (page, name) => page.locator(`[data-value="${name}"]`).textContent();

/** The number in front of a unit. */
const number = async (page, name) => Number.parseFloat((await value(page, name)).replace(',', ''));

/** Clients of a room, each a user of its own, that go with the test. */
async function fillRoom(t, bot, roomId, count) {
  const people = await Promise.all(
    Array.from({ length: count }, (_, index) => signIn(bot.address, `Guest ${index}`)),
  );
  const clients = people.map(
    ({ cookie }) =>
      new RoomClient(bot.url, { headers: { Cookie: cookie }, origin: new URL(bot.address).origin }),
  );
  t.after(() => {
    for (const client of clients) client.ws.terminate();
  });
  await Promise.all(
    clients.map(async client => {
      await client.opened;
      await client.nextMessage();
      await client.join(roomId);
    }),
  );
  return people;
}

/** Somebody comes and goes for as long as a condition does not hold. */
async function commotion(person, roomId, condition, what) {
  await until(async () => {
    assert.equal(await person.join(roomId), 200);
    assert.equal(await person.leave(roomId), 200);
    return condition();
  }, what);
}

/** Runs in the page: how many pixels of each chart have the colour of one of its lines. */
function drawnPixels() {
  const probe = document.createElement('canvas').getContext('2d');
  const style = getComputedStyle(document.documentElement);
  const colours = ['--line-0', '--line-1', '--line-2'].map(name => {
    probe.fillStyle = style.getPropertyValue(name);
    probe.fillRect(0, 0, 1, 1);
    return probe.getImageData(0, 0, 1, 1).data;
  });
  return [...document.querySelectorAll('figure canvas')].map(canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const is = colour => [0, 1, 2].every(part => Math.abs(data[at + part] - colour[part]) < 16);
      if (data[at + 3] > 100 && colours.some(is)) count += 1;
    }
    return count;
  });
}

describe('the monitor', needsBrowser, () => {
  const open = useBrowser();
  let bot;

  share(async suite => {
    bot = await startBot(suite);
  });

  it('shows what the hub carries', async t => {
    const page = await openMonitor(await open(t), bot.address);
    await until(async () => (await value(page, 'connections')) === '0', 'no connection');
    const [person] = await fillRoom(t, bot, 1, CLIENTS);
    await until(async () => (await value(page, 'connections')) === `${CLIENTS}`, 'the connections');
    await until(async () => (await value(page, 'memberships')) === `${CLIENTS}`, 'memberships');
    assert.equal(await value(page, 'rooms'), '1');

    await commotion(
      person,
      1,
      async () => (await number(page, 'updatesPerSecond')) > 0,
      'the rate of updates',
    );
    assert.ok((await number(page, 'deliveriesPerSecond')) >= CLIENTS);
    assert.match(await value(page, 'bufferedBytes'), /^\d\S* (B|kB|MB)$/);
    assert.equal(await value(page, 'slowClients'), '0');
    for (const name of ['p50', 'p99', 'max']) assert.match(await value(page, name), /^\S+ ms$/);
    for (const name of ['rss', 'heapUsed']) assert.match(await value(page, name), /^\S+ MB$/);
  });

  it('draws it', async t => {
    const page = await openMonitor(await open(t), bot.address);
    const figures = page.locator('figure');
    const names = await figures.evaluateAll(all => all.map(one => one.dataset.chart));
    assert.deepEqual(names, CHARTS);
    let drawn;
    await until(
      async () => {
        drawn = await page.evaluate(drawnPixels);
        return drawn.length === CHARTS.length && drawn.every(count => count >= 5);
      },
      () => `a line in every chart: ${drawn}`,
    );
    // Where the pointer is, the chart says the numbers.
    await page.locator('[data-chart="memory"] .u-over').hover({ position: { x: 5, y: 5 } });
    const over = await page.locator('[data-chart="memory"] .u-over').boundingBox();
    await page.mouse.move(over.x + over.width - 2, over.y + 40);
    await page.locator('[data-chart="memory"] .tip').filter({ hasText: 'Process' }).waitFor();
  });

  it('says the same in a table, for those who see no charts', async t => {
    const page = await openMonitor(await open(t), bot.address);
    const table = page.getByRole('table').first();
    await table.getByRole('row', { name: /^Connections \d/ }).waitFor();
    const heads = await table.getByRole('columnheader').allTextContents();
    assert.deepEqual(heads, ['What', 'Now', 'Mean', 'Highest']);
    assert.equal(await table.getByRole('rowheader').count(), 13);
    await page.getByRole('img', { name: /^Memory over the last 10 minutes/ }).waitFor();
    await page.getByRole('region', { name: 'Hub threads' }).getByRole('row').nth(1).waitFor();
  });

  it('shows what was before it was opened', async t => {
    const page = await open(t);
    await until(
      async () => (await (await bot.get('/api/monitor')).json()).samples.length > 2,
      'some samples',
    );
    const answer = page.waitForResponse(/\/api\/monitor$/);
    await openMonitor(page, bot.address);
    assert.ok((await (await answer).json()).samples.length > 2);
    // From then on it asks for what is new.
    const next = await page.waitForResponse(/\/api\/monitor\?since=\d+$/);
    assert.ok((await next.json()).samples.length < 3);
  });

  it('warns of an event loop that is held up, in words', async t => {
    const page = await openMonitor(await open(t), bot.address);
    const warning = page.locator('[data-chart="loop"] .warning');
    await page.evaluate(() => {
      window.verdicts = [];
      new MutationObserver(() => {
        window.verdicts.push(document.getElementById('verdict').textContent);
      }).observe(document.getElementById('verdict'), { childList: true });
    });
    await until(() => warning.isHidden(), 'a loop that is not late');
    bot.kill('SIGSTOP');
    await new Promise(resolve => setTimeout(resolve, HELD_UP_MS));
    bot.kill('SIGCONT');
    await until(
      () => page.evaluate(() => window.verdicts.includes('Look at: late event loop')),
      'the warning',
    );
    await until(() => warning.isHidden(), 'the end of the warning');
  });

  it('says since when the bot does not answer, and goes on by itself', async t => {
    const first = await startBot(t);
    const road = await layRoad(t, first.port);
    const page = await openMonitor(await open(t), road.origin);
    await until(async () => (await value(page, 'connections')) === '0', 'the first sample');
    first.kill('SIGKILL');
    const away = page.locator('#answers[data-state="offline"]');
    await away.filter({ hasText: /^No answer since \d\d:\d\d:\d\d/ }).waitFor();
    // The last that was known is still there, as what it is.
    assert.equal(await value(page, 'connections'), '0');

    road.leadTo(bot.port);
    await page.locator('#answers[data-state="live"]').waitFor();
    await fillRoom(t, bot, 2, 3);
    await until(async () => (await value(page, 'connections')) === '3', 'the new connections');
  });

  it('asks nothing while nobody looks', async t => {
    const page = await openMonitor(await open(t), bot.address);
    const look = state =>
      page.evaluate(visibilityState => {
        Object.defineProperty(document, 'visibilityState', {
          value: visibilityState,
          configurable: true,
        });
        document.dispatchEvent(new Event('visibilitychange'));
      }, state);
    await look('hidden');
    await page.waitForLoadState('networkidle');
    let asked = 0;
    page.on('request', () => {
      asked += 1;
    });
    const newest = async () => (await (await bot.get('/api/monitor')).json()).samples.at(-1).at;
    const hiddenAt = await newest();
    await until(async () => (await newest()) > hiddenAt + 2_500, 'three more samples');
    assert.equal(asked, 0);
    const request = page.waitForRequest(/\/api\/monitor\?since=/);
    await look('visible');
    await request;
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`can be read on a phone, in ${colorScheme} colours`, async t => {
      const page = await open(t, { colorScheme, viewport: { width: 320, height: 640 } });
      await openMonitor(page, bot.address);
      await page.getByRole('table').first().getByRole('rowheader').first().waitFor();
      const { faint, looked } = await faintTexts(page);
      assert.deepEqual(faint, []);
      assert.ok(looked > 60, `${looked} texts`);
      assert.deepEqual(await overflowing(page), []);
      assert.deepEqual(await smallTargets(page), []);

      // And with every warning that it has.
      await page.evaluate(() => {
        for (const warning of document.querySelectorAll('.warning')) warning.hidden = false;
        for (const bad of document.querySelectorAll('dd')) bad.classList.add('bad');
        document.getElementById('verdict').dataset.verdict = 'bad';
      });
      assert.deepEqual((await faintTexts(page)).faint, []);
      assert.deepEqual(await overflowing(page), []);
    });
  }
});
