'use strict';

// What the page shows and says while the network or the bot is away, and afterwards.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { needsBrowser, useBrowser } = require('./support/browser');
const { signIn } = require('./support/people');
const { layRoad } = require('./support/road');
const { Visitor, visit } = require('./support/visitor');

/** How many of these lines of news begin with a name, by name. */
function told(news, names) {
  return names.map(name => news.filter(line => line.startsWith(`${name} `)).length);
}

describe('the page', needsBrowser, () => {
  const open = useBrowser();

  it('recovers every update that was made while its connection was cut', async t => {
    const bot = await startBot(t);
    const road = await layRoad(t, bot.port);
    const ada = await visit(await open(t), road.origin, 'Ada');
    const names = Array.from({ length: 20 }, (_, index) => `Guest${index}`);
    const guests = await Promise.all(names.map(name => signIn(bot.address, name)));
    assert.equal(await guests[0].join(1), 200);
    await ada.shows(1, 1);

    road.shut();
    await ada.state('offline');
    for (const guest of guests.slice(1)) assert.equal(await guest.join(1), 200);
    assert.equal(await ada.count(1), 1);

    road.open();
    await ada.state('live');
    await ada.shows(1, 20);
    const news = await ada.news();
    assert.deepEqual(told(news, names), Array(20).fill(1));
  });

  it('asks every few seconds where no WebSocket gets through, then is live again', async t => {
    const bot = await startBot(t);
    const road = await layRoad(t, bot.port);
    road.blockUpgrades();
    const page = await open(t);
    await page.goto(road.origin);
    const ada = new Visitor(page);
    await ada.signIn('Ada');
    assert.equal(await ada.state('polling'), 'No live connection: asking every 5 seconds');

    const [alan, grace] = [await signIn(bot.address, 'Alan'), await signIn(bot.address, 'Grace')];
    assert.equal(await alan.join(1), 200);
    await ada.shows(1, 1);
    await ada.state('polling');

    road.allowUpgrades();
    assert.equal(await ada.state('live'), 'Live');
    assert.equal(await grace.join(1), 200);
    await ada.shows(1, 2);
    assert.match((await ada.news())[0], /Grace joined Lobby/);

    // And where a connection that was live is ended by what lies between.
    road.blockUpgrades();
    await ada.state('polling');
    assert.equal(await alan.leave(1), 200);
    await ada.shows(1, 1);
    road.allowUpgrades();
    await ada.state('live');
  });

  it('catches up after half an hour asleep', async t => {
    const bot = await startBot(t);
    const road = await layRoad(t, bot.port);
    const page = await open(t);
    await page.clock.install();
    const ada = await visit(page, road.origin, 'Ada');
    const names = Array.from({ length: 10 }, (_, index) => `Guest${index}`);
    const guests = await Promise.all(names.map(name => signIn(bot.address, name)));
    assert.equal(await guests[0].join(1), 200);
    await ada.shows(1, 1);

    // A lid that is closed: time stands still in the page, and nothing of the network reaches it.
    await page.clock.pauseAt(Date.now() + 1000);
    road.freeze();
    for (const guest of guests.slice(1)) assert.equal(await guest.join(1), 200);
    road.thaw();
    assert.equal(await ada.count(1), 1);

    await page.clock.fastForward('30:00');
    await page.clock.resume();
    await ada.shows(1, 10);
    await ada.state('live');
    assert.deepEqual(told(await ada.news(), names), Array(10).fill(1));
  });
});
