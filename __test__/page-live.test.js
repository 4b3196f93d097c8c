'use strict';

// Two pages of the bot, in a real browser: what happens in one is seen in the other.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { needsBrowser, useBrowser } = require('./support/browser');
const { signIn } = require('./support/people');
const { visit } = require('./support/visitor');

/** How often somebody joins and leaves while the time is taken. */
const ROUNDS = 10;

/** Notes, in the page, when a room's count changes: milliseconds since 1970. */
function watchCount(visitor, roomId) {
  return visitor
    .room(roomId)
    .locator('.current')
    .evaluate(element => {
      window.changes = [];
      new MutationObserver(() => window.changes.push(Date.now())).observe(element, {
        characterData: true,
        childList: true,
        subtree: true,
      });
    });
}

describe('two pages', needsBrowser, () => {
  const open = useBrowser();

  it('see each other come and go', async t => {
    const bot = await startBot(t);
    const ada = await visit(await open(t), bot.address, 'Ada');
    const alan = await visit(await open(t), bot.address, 'Alan');

    await ada.join(1);
    await alan.shows(1, 1);
    assert.match((await alan.news())[0], /Ada joined Lobby/);
    await alan.join(1);
    await ada.shows(1, 2);
    assert.match((await ada.news())[0], /Alan joined Lobby/);
    await ada.leave(1);
    await alan.shows(1, 1);
    assert.match((await alan.news())[0], /Ada left Lobby/);
  });

  it('see it within 200 ms', async t => {
    const bot = await startBot(t);
    const ada = await visit(await open(t), bot.address, 'Ada');
    const alan = await visit(await open(t), bot.address, 'Alan');
    await watchCount(alan, 1);

    const delays = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const button = ada.room(1).getByRole('button');
      const clickedAt = await button.evaluate(element => {
        const now = Date.now();
        element.click();
        return now;
      });
      await alan.shows(1, round % 2 === 0 ? 1 : 0);
      await ada
        .room(1)
        .getByRole('button', { name: round % 2 === 0 ? /^Leave/ : /^Join/ })
        .waitFor();
      const changes = await alan.page.evaluate(() => window.changes.splice(0));
      assert.equal(changes.length, 1);
      delays.push(changes[0] - clickedAt);
    }
    delays.sort((a, b) => a - b);
    // From the click in one page over the bot and its database to what the other page shows.
    t.diagnostic(`median ${delays[ROUNDS / 2]} ms, slowest ${delays.at(-1)} ms`);
  });

  it('cannot join a room that fifty others are in', async t => {
    const bot = await startBot(t);
    const late = await visit(await open(t), bot.address, 'Late');
    const others = await Promise.all(
      Array.from({ length: 50 }, (_, index) => signIn(bot.address, `Guest ${index}`)),
    );
    for (const other of others.slice(0, 49)) assert.equal(await other.join(1), 200);
    await late.shows(1, 49);

    // The last place goes while the page is about to take it: it hears the bot's no.
    await late.page.route('**/api/rooms/1/join', async route => {
      assert.equal(await others[49].join(1), 200);
      await route.continue();
    });
    await late.room(1).getByRole('button', { name: 'Join Lobby' }).click();
    await late.room(1).getByRole('alert').filter({ hasText: 'Room is full' }).waitFor();
    await late.shows(1, 50);
    assert.equal(await late.room(1).locator('.free').textContent(), 'Full');
    const button = late.room(1).getByRole('button', { name: 'Join Lobby' });
    assert.equal(await button.getAttribute('aria-disabled'), 'true');

    // Nor by asking the bot directly.
    const answer = await late.page.evaluate(() =>
      fetch('/api/rooms/1/join', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{}',
      }).then(response => response.status),
    );
    assert.equal(answer, 409);

    assert.equal(await others[0].leave(1), 200);
    await late.shows(1, 49);
    await late.page.unroute('**/api/rooms/1/join');
    await late.join(1);
    await late.shows(1, 50);
  });
});
