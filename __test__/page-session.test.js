'use strict';

// The page of somebody whose session ends, or has ended.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { needsBrowser, useBrowser } = require('./support/browser');
const { visit } = require('./support/visitor');

const WORDS = 'Your session has expired';

describe('a session', needsBrowser, () => {
  const open = useBrowser();

  it('that expires under an open page ends it, and the page says so', async t => {
    const bot = await startBot(t, { env: { SESSION_TTL: '2' } });
    const page = await open(t);
    const ada = await visit(page, bot.address, 'Ada');
    assert.equal(await ada.state('closed'), WORDS);
    await page.getByRole('alert').filter({ hasText: WORDS }).waitFor();

    // It is asked no more, and cannot do anything either.
    const join = await page.evaluate(() =>
      fetch('/api/rooms/1/join', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{}',
      }).then(response => response.status),
    );
    assert.equal(join, 401);

    await ada.signIn('Ada');
    await ada.state('live');
    await ada.join(1);
  });

  it('that has expired is refused, and the page says so', async t => {
    const bot = await startBot(t, { env: { SESSION_TTL: '2' } });
    const page = await open(t);
    const ada = await visit(page, bot.address, 'Ada');
    const [cookie] = await page.context().cookies();
    await ada.state('closed');
    // A browser whose clock is slow goes on sending the cookie.
    await page.context().addCookies([{ ...cookie, expires: -1 }]);
    const refused = await page.evaluate(
      () =>
        new Promise(resolve => {
          new WebSocket('/ws/rooms').onclose = ({ code, reason }) => resolve({ code, reason });
        }),
    );
    assert.deepEqual(refused, { code: 1008, reason: 'Unauthorized' });
    await page.reload();
    await page.getByRole('button', { name: 'Come in' }).waitFor();
  });
});
