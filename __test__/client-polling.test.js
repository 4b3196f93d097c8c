'use strict';

// The browser's client where no WebSocket can be had.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');
const { until } = require('./support/wait');

const poll = { interval: 50 };

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  /** A page that polls. */
  async function startPolling(t, setting) {
    const site = await startSite(t);
    site.hub.broadcastParticipantCount(1, 3, 4);
    site.road.blockUpgrades();
    const client = await openClient(t, open, site, { options: { poll }, ...setting });
    await client.reaches('polling');
    return { site, client };
  }

  it('polls after three attempts, and is live again as soon as it can be', async t => {
    const { site, client } = await startPolling(t);
    const [first] = await client.updated(1);
    const { epoch } = site.hub.getRoomState(1);
    const { timestamp, ...rest } = first;
    assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      type: 'ROOM_UPDATE',
      roomId: 1,
      event: 'PARTICIPANT_COUNT_UPDATED',
      currentParticipants: 3,
      maxParticipants: 4,
      isFull: false,
      availableSlots: 1,
      seq: 1,
      epoch,
    });
    site.hub.broadcastRoomUpdate(1, 'Ada', 4, 4, 'join');
    const [, second] = await client.updated(2);
    assert.deepEqual([second.isFull, second.availableSlots, second.seq], [true, 0, 2]);
    site.road.allowUpgrades();
    await client.reaches('live');
    site.hub.broadcastRoomUpdate(1, 'Ada', 3, 4, 'leave');
    const [, , third] = await client.updated(3);
    assert.deepEqual([third.event, third.seq], ['USER_LEFT', 3]);
    const polls = site.polls.length;
    await new Promise(resolve => setTimeout(resolve, 4 * poll.interval));
    assert.equal(site.polls.length, polls, 'polls of a page that is live');
    assert.deepEqual(await client.states(), ['polling', 'live']);
  });

  it('is told of nothing new by a 304', async t => {
    const { site, client } = await startPolling(t);
    await until(() => site.polls.filter(({ status }) => status === 304).length > 2, 'some 304s');
    site.hub.broadcastParticipantCount(1, 2, 4);
    await client.updated(2);
    assert.equal(site.polls.filter(({ status }) => status === 200).length, 2);
    assert.equal((await client.updates()).length, 2);
    assert.deepEqual(await client.errors(), []);
  });

  it('rests while the tab is hidden, and asks at once when it is visible', async t => {
    const { site, client } = await startPolling(t, { options: { poll: { interval: 200 } } });
    const show = hidden =>
      client.page.evaluate(value => {
        Object.defineProperty(document, 'hidden', { value, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      }, hidden);
    await show(true);
    await client.page.evaluate(() => new Promise(resolve => setTimeout(resolve, 250)));
    const before = site.polls.length;
    await client.page.evaluate(() => new Promise(resolve => setTimeout(resolve, 600)));
    assert.equal(site.polls.length, before, 'polls of a hidden tab');
    site.hub.broadcastParticipantCount(1, 1, 4);
    await show(false);
    await client.updated(2);
  });

  it('asks once at a time, and at once for rooms that are joined meanwhile', async t => {
    const { site, client } = await startPolling(t, { options: { poll: { interval: 60_000 } } });
    for (const id of ['a/b', 2]) site.hub.broadcastParticipantCount(id, 1, 4);
    await client.call('join', 'a/b');
    await client.call('join', 2);
    await client.updated(3);
    await client.call('leave', 1);
    const rooms = (await client.updates()).map(update => update.roomId);
    assert.deepEqual(new Set(rooms), new Set([1, 'a/b', 2]));
    assert.deepEqual(await client.errors(), []);
    assert.ok(site.polls.length <= 6, `${site.polls.length} polls`);
  });

  it('shows the counts of an endpoint without numbers where they have changed', async t => {
    const { site, client } = await startPolling(t);
    await client.updated(1);
    const says = currentParticipants =>
      site.answers.set('1', {
        status: 200,
        body: { id: 1, currentParticipants, maxParticipants: 4 },
      });
    for (const count of [2, 1]) {
      says(count);
      const before = site.polls.length;
      await until(() => site.polls.length > before + 5, 'more polls');
    }
    const updates = (await client.updates()).slice(1);
    assert.deepEqual(
      updates.map(update => [update.currentParticipants, update.availableSlots, update.seq]),
      [
        [2, 2, undefined],
        [1, 3, undefined],
      ],
    );
  });

  it('says offline while neither works, and comes back with the first that does', async t => {
    const { site, client } = await startPolling(t);
    await site.stop();
    await client.reaches('offline');
    await site.start();
    site.hub.broadcastParticipantCount(1, 2, 4);
    await client.reaches('polling');
    await site.stop();
    await client.reaches('offline');
    await site.start();
    site.road.allowUpgrades();
    await client.reaches('live');
    const states = await client.states();
    assert.deepEqual(states.slice(0, 4), ['polling', 'offline', 'polling', 'offline']);
  });

  it('tells of a poll that is refused, and gives up a room that it may not see', async t => {
    const { site, client } = await startPolling(t, { rooms: [1, 2] });
    await client.updated(1);
    site.answers.set('1', { status: 401, body: { error: 'Not signed in' } });
    site.answers.set('2', { status: 403, body: { error: 'Access denied to this room' } });
    const denied = { error: 'Access denied to this room', roomId: 2, code: 403 };
    const signedOut = { error: 'Not signed in', roomId: 1, code: 401 };
    const has = wanted =>
      until(
        async () => (await client.errors()).some(error => error.code === wanted.code),
        wanted.error,
      );
    await has(denied);
    await has(signedOut);
    const errors = await client.errors();
    assert.deepEqual(
      errors.filter(({ code }) => code === 403),
      [denied],
    );
    assert.deepEqual(
      errors.find(({ code }) => code === 401),
      signedOut,
    );
  });
});
