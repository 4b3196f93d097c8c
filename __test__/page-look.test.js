'use strict';

// The bot's pages for everybody: by keyboard, by screen reader, in light and dark, on a phone. And that
// they ask nobody but the bot, and show what people call themselves as text.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { needsBrowser, useBrowser } = require('./support/browser');
const { signIn } = require('./support/people');
const { needsPostgres, startPostgres } = require('./support/postgres');
const { faintTexts, overflowing, smallTargets } = require('./support/readable');
const { share } = require('./support/suite');
const { Visitor, visit } = require('./support/visitor');
const { until } = require('./support/wait');

const NARROW = { viewport: { width: 320, height: 640 } };
const LONG = 'W'.repeat(40);

const lobby = 1;
const studyHall = 2;
const musicLounge = 3;
const gameNight = 4;

const focused = page =>
  page.evaluate(() => {
    const { ariaLabel, id, textContent } = document.activeElement;
    return ariaLabel || id || textContent;
  });

describe('the page', needsBrowser, () => {
  const open = useBrowser();
  let bot;

  share(async suite => {
    bot = await startBot(suite);
  });

  /** Signs people in over HTTP, who are out of their rooms again when the test is over. */
  async function people(t, ...names) {
    const all = await Promise.all(names.map(name => signIn(bot.address, name)));
    t.after(async () => {
      for (const room of [lobby, studyHall, musicLounge, gameNight]) {
        await Promise.all(all.map(one => one.leave(room)));
      }
    });
    return all;
  }

  async function fill(room, everybody) {
    for (const one of everybody) assert.equal(await one.join(room), 200);
  }

  /** A page that has all that it can have on it: a full room, an own one, many names, news, a problem. */
  async function busy(t, options) {
    const page = await open(t, options);
    const ada = await visit(page, bot.address, 'Ada');
    const names = ['Grace', LONG, ...Array.from({ length: 10 }, (_, index) => `Guest ${index}`)];
    const guests = await people(t, ...names);
    await fill(gameNight, guests.slice(0, 4));
    await fill(lobby, guests);
    await guests[3].leave(lobby);
    await ada.shows(lobby, 11);
    await ada.shows(gameNight, 4);
    await ada.join(musicLounge);
    const [{ name, value }] = await page.context().cookies();
    t.after(() =>
      fetch(new URL('/api/session', bot.address), {
        method: 'DELETE',
        headers: { Cookie: `${name}=${value}` },
      }),
    );
    // Not locator.click, which waits for a button that is not disabled.
    const shut = ada.room(gameNight).getByRole('button', { name: 'Join Game night' });
    await shut.evaluate(element => element.click());
    await ada.room(gameNight).getByRole('alert').filter({ hasText: 'Room is full' }).waitFor();
    return ada;
  }

  it('shows what people call themselves as text', async t => {
    const name = '<img src=x onerror="location=1">&amp;';
    const page = await open(t);
    const ada = await visit(page, bot.address, name);
    await ada.join(studyHall);
    const [guest] = await people(t, '<script>throw 1</script>');
    await guest.join(studyHall);
    await ada.shows(studyHall, 2);

    const chips = ada.room(studyHall).getByRole('listitem');
    assert.deepEqual(await chips.allTextContents(), [name, '<script>throw 1</script>']);
    assert.ok((await ada.news())[0].startsWith('<script>throw 1</script> joined Study hall'));
    assert.equal(await page.locator('#your-name').textContent(), name);
    assert.equal(await page.locator('main img, main script').count(), 0);
    await ada.leave(studyHall);
  });

  it('is used by keyboard alone, and the focus is where one goes on', async t => {
    const page = await open(t);
    await page.goto(bot.address);
    await until(async () => (await focused(page)) === 'name', 'the focus on the name');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'Please say who you are' }).waitFor();
    assert.equal(await focused(page), 'name');
    await page.keyboard.type('Ada');
    await page.keyboard.press('Enter');
    await until(async () => (await focused(page)) === 'rooms-title', 'the focus on the rooms');

    const ada = new Visitor(page);
    await ada.state('live');
    await page.keyboard.press('Tab');
    assert.equal(await focused(page), 'Join Lobby');
    const { outlineStyle, outlineWidth } = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      return { outlineStyle: style.outlineStyle, outlineWidth: style.outlineWidth };
    });
    assert.deepEqual(
      { outlineStyle, outlineWidth },
      { outlineStyle: 'solid', outlineWidth: '3px' },
    );
    await page.keyboard.press('Enter');
    await ada.room(lobby).getByRole('button', { name: 'Leave Lobby' }).waitFor();
    assert.equal(await focused(page), 'Leave Lobby');
    await page.keyboard.press('Space');
    await ada.room(lobby).getByRole('button', { name: 'Join Lobby' }).waitFor();
    assert.equal(await focused(page), 'Join Lobby');

    // A full room's button can be reached, and says why it does nothing.
    await fill(gameNight, await people(t, 'A', 'B', 'C', 'D'));
    await ada.shows(gameNight, 4);
    for (const name of ['Join Study hall', 'Join Music lounge', 'Join Game night']) {
      await page.keyboard.press('Tab');
      assert.equal(await focused(page), name);
    }
    await page.keyboard.press('Enter');
    await ada.room(gameNight).getByRole('alert').filter({ hasText: 'Room is full' }).waitFor();

    for (let back = 0; back < 4; back += 1) await page.keyboard.press('Shift+Tab');
    assert.equal(await focused(page), 'sign-out');
    await page.keyboard.press('Enter');
    await until(async () => (await focused(page)) === 'name', 'the focus on the name again');
    assert.equal(await ada.state('closed'), 'Signed out');
    // Who has signed out of their own accord needs no alarm.
    assert.equal(await page.locator('#reason').textContent(), '');
  });

  it('tells a screen reader what is what', async t => {
    const ada = await busy(t);
    const { page } = ada;
    await page.getByRole('banner').getByRole('heading', { level: 1, name: 'Hangouts' }).waitFor();
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor();
    const main = page.getByRole('main');
    await main.getByRole('region', { name: 'Rooms' }).waitFor();
    const log = main.getByRole('log', { name: 'Who came and went' });
    assert.equal(await log.getAttribute('aria-live'), 'polite');
    for (const name of ['Lobby', 'Study hall', 'Music lounge', 'Game night']) {
      await main.getByRole('heading', { level: 3, name }).waitFor();
    }
    const shut = ada.room(gameNight).getByRole('button', { name: 'Join Game night' });
    assert.equal(await shut.getAttribute('aria-disabled'), 'true');
    const names = ada.room(gameNight).getByRole('list', { name: 'In Game night' });
    assert.equal(await names.getByRole('listitem').count(), 4);
    // The counts change too often to be read out: the log alone speaks of who comes.
    const speaks = '[aria-live], [role=status], [role=log], [role=alert]';
    assert.equal(await page.locator(`:is(${speaks}) .current`).count(), 0);
    assert.match(await ada.room(gameNight).ariaSnapshot(), /heading "Game night" \[level=3\]/);
  });

  it('folds many names, and shows them all on demand', async t => {
    const ada = await busy(t);
    const list = ada.room(lobby).getByRole('list', { name: 'In Lobby' });
    assert.equal(await list.getByRole('listitem').count(), 6);
    await ada.room(lobby).getByRole('button', { name: '+5 more in Lobby' }).click();
    assert.equal(await list.getByRole('listitem').count(), 11);
    const fold = ada.room(lobby).getByRole('button', { name: 'Fewer names in Lobby' });
    assert.equal(await fold.getAttribute('aria-expanded'), 'true');
    await fold.click();
    assert.equal(await list.getByRole('listitem').count(), 6);
  });

  it('tells the newest thirty who came and went', async t => {
    const ada = await visit(await open(t), bot.address, 'Ada');
    const guests = await people(t, ...Array.from({ length: 12 }, (_, index) => `Guest ${index}`));
    for (const room of [studyHall, musicLounge, lobby]) await fill(room, guests);
    await ada.shows(lobby, 12);
    const news = await ada.news();
    assert.equal(news.length, 30);
    assert.match(news[0], /^Guest 11 joined Lobby/);
    assert.match(news.at(-1), /^Guest 6 joined Study hall/);
  });

  it('knows what the same user does in another window', async t => {
    const page = await open(t);
    const ada = await visit(page, bot.address, 'Ada');
    const other = new Visitor(await page.context().newPage());
    await other.page.goto(bot.address);
    await other.state('live');
    await other.join(studyHall);
    await ada.room(studyHall).getByRole('button', { name: 'Leave Study hall' }).waitFor();
    await ada.leave(studyHall);
    await other.room(studyHall).getByRole('button', { name: 'Join Study hall' }).waitFor();

    await other.page.getByRole('button', { name: 'Sign out' }).click();
    assert.equal(await ada.state('closed'), 'You have been signed out');
    await page.getByRole('alert').filter({ hasText: 'You have been signed out' }).waitFor();
  });

  for (const colorScheme of ['light', 'dark']) {
    it(`has texts that can be read, in ${colorScheme} colours`, async t => {
      const page = await open(t, { colorScheme });
      await page.goto(bot.address);
      await page.getByRole('button', { name: 'Come in' }).click();
      await page.getByText('Please say who you are').waitFor();
      const form = await faintTexts(page);
      assert.deepEqual(form.faint, []);

      const ada = await busy(t, { colorScheme });
      await ada.page.mouse.move(0, 0);
      const rooms = await faintTexts(ada.page);
      assert.deepEqual(rooms.faint, []);
      assert.ok(rooms.looked > 60, `${rooms.looked} texts`);
    });
  }

  it('fits a phone of 320 pixels, and a finger', async t => {
    const page = await open(t, NARROW);
    await page.goto(bot.address);
    await page.getByRole('button', { name: 'Come in' }).waitFor();
    assert.deepEqual(await overflowing(page), []);
    assert.deepEqual(await smallTargets(page), []);

    const long = await visit(page, bot.address, LONG);
    await long.join(studyHall);
    const ada = await busy(t, NARROW);
    await ada.shows(studyHall, 1);
    for (const shown of [page, ada.page]) {
      assert.deepEqual(await overflowing(shown), []);
      assert.deepEqual(await smallTargets(shown), []);
    }
    await long.leave(studyHall);
  });

  it('shows a hundred rooms, and follows them all', needsPostgres, async t => {
    const postgres = await startPostgres(t);
    const large = await startBot(t, { env: { DATABASE_URL: postgres.url } });
    await postgres.query(`INSERT INTO main_rooms (id, group_id, name, max_participants)
      SELECT id, 1, 'Room ' || id || ' ' || repeat('W', 40), 10 FROM generate_series(6, 101) id`);
    const ada = await visit(await open(t, NARROW), large.address, 'Ada');
    assert.equal(await ada.page.locator('li.room').count(), 100);
    assert.deepEqual(await overflowing(ada.page), []);

    const guest = await signIn(large.address, 'Guest');
    for (const room of [lobby, 101]) {
      assert.equal(await guest.join(room), 200);
      await ada.shows(room, 1);
    }
    await ada.join(101);
    assert.deepEqual(await ada.room(101).getByRole('listitem').allTextContents(), ['Guest', 'Ada']);
    await ada.state('live');
  });

  it('moves nothing for those who want that', async t => {
    const ada = await busy(t, { reducedMotion: 'reduce' });
    const moving = await ada.page.evaluate(() => {
      const bars = [...document.querySelectorAll('.filled')].map(
        bar => getComputedStyle(bar).transitionProperty,
      );
      document.getElementById('connection').dataset.state = 'connecting';
      return { bars: [...new Set(bars)], animations: document.getAnimations().length };
    });
    assert.deepEqual(moving, { bars: ['none'], animations: 0 });
  });

  for (const route of ['', 'monitor']) {
    it(`asks nobody but the bot, under a strict policy: /${route}`, async t => {
      const page = await open(t);
      const asked = [];
      const said = [];
      page.on('request', request => asked.push(request.url()));
      page.on('websocket', socket => asked.push(socket.url()));
      page.on('console', message => said.push(message.text()));
      const response = await page.goto(new URL(route, bot.address).href);
      assert.match(response.headers()['content-security-policy'], /default-src 'self'(;|$)/);
      if (route === 'monitor') {
        await page.locator('#answers[data-state="live"]').waitFor();
        await page.locator('figure canvas').first().waitFor();
      } else {
        const ada = new Visitor(page);
        await ada.signIn('Ada');
        await ada.state('live');
        await ada.join(lobby);
        await ada.leave(lobby);
        // The page asks whether there is a session, and the browser reports every answer that is a no.
        assert.match(said.shift(), /401/);
      }
      assert.deepEqual(said, []);
      const { host } = new URL(bot.address);
      assert.ok(asked.length > 5);
      assert.deepEqual(
        asked.filter(url => new URL(url).host !== host),
        [],
      );
    });
  }
});
