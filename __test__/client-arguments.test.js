'use strict';

// What the browser's client is passed: an error says what is wrong, and what would be right.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { needsBrowser, useBrowser } = require('./support/browser');
const { openClient, startSite } = require('./support/client-page');

// As code, since not all of it can be sent to a page.
const OPTIONS = [
  ['{ url: 5 }', /^url must be the URL of a ws\(s\) server, got 5 \(number\)$/],
  ["{ url: 'ftp://bot.example' }", /^url must be .*, got ftp:\/\/bot\.example \(string\)$/],
  ["{ url: 'http://[' }", /^url must be /],
  ['{ url: null }', /^url must be .*, got null/],
  ["{ pingInterval: '25s' }", /^pingInterval must be a number of milliseconds above 0, got 25s/],
  ['{ pingInterval: 0 }', /^pingInterval must be .*, got 0 \(number\)$/],
  ['{ pingInterval: 2 ** 31 }', /^pingInterval must be /],
  ['{ pingInterval: NaN }', /^pingInterval must be .*, got NaN/],
  ['{ poll: 5000 }', /^poll must be .*interval/],
  ['{ poll: true }', /^poll must be .*false or/],
  ['{ poll: { interval: -1 } }', /^poll\.interval must be .*, got -1 \(number\)$/],
  ["{ poll: { url: 'data:,x' } }", /^poll\.url must be the URL of a http\(s\) server/],
  ['{ poll: { every: 1 } }', /^options must be \{ url, .*, got every \(string\)$/],
  ['{ uri: 1 }', /^options must be \{ url, .*, got uri \(string\)$/],
];
const ROOMS = [
  ...['1.5', '-1', '2 ** 53', 'NaN', 'null', 'undefined', 'true', '[1]', '({})', '1n'],
  ...["''", "'a\\n'", "'\\u0085'", "'x'.repeat(129)", "'ä'.repeat(65)", "'\\ud800'", 'Symbol()'],
];
const GOOD_ROOMS = [
  '0',
  '2 ** 53 - 1',
  "'x'.repeat(128)",
  "'ä'.repeat(64)",
  "'💬'",
  "'01'",
  "'-1'",
];

describe('the client', needsBrowser, () => {
  const open = useBrowser();

  const thrown = (client, code) =>
    client.page.evaluate(async text => {
      const { RoomClient } = await import('/room-client.js');
      try {
        await new Function('RoomClient', 'client', text)(RoomClient, window.client);
      } catch (error) {
        return `${error.name}: ${error.message}`;
      }
      return 'nothing';
    }, code);

  it('refuses options that are wrong', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site);
    await client.reaches('live');
    for (const [options, message] of OPTIONS) {
      const error = await thrown(client, `new RoomClient(${options})`);
      assert.match(error, /^TypeError: /, options);
      assert.match(error.slice('TypeError: '.length), message, options);
    }
    assert.equal(site.hub.getStats().openConnections, 1);
  });

  it('refuses ids that name no room, and no others', async t => {
    const site = await startSite(t);
    const client = await openClient(t, open, site, { rooms: [] });
    await client.reaches('live');
    for (const room of ROOMS) {
      for (const method of ['join', 'leave', 'status']) {
        const error = await thrown(client, `return client.${method}(${room})`);
        assert.match(
          error,
          /^TypeError: roomId must be an integer from 0 to 2\^53-1 or text/,
          room,
        );
      }
    }
    for (const room of GOOD_ROOMS) {
      for (const method of ['join', 'status', 'leave']) {
        assert.equal(await thrown(client, `return client.${method}(${room})`), 'nothing', room);
      }
    }
    await client.answered();
    assert.deepEqual(await client.errors(), []);
  });

  it('takes URLs of every form', async t => {
    const site = await startSite(t);
    const { port } = site.road;
    const client = await openClient(t, open, site, { rooms: [] });
    const urls = ["'/ws/rooms'", "'ws/rooms?a=1'", `'http://127.0.0.1:${port}/ws/rooms'`];
    urls.push(`new URL('ws://127.0.0.1:${port}/ws/rooms')`);
    for (const url of urls) {
      const code = `
        const other = new RoomClient({ url: ${url} });
        await new Promise(resolve => other.addEventListener('state', resolve, { once: true }));
        const { state } = other;
        other.close();
        if (state !== 'live') throw new Error(state);`;
      assert.equal(await thrown(client, `return (async () => {${code}})()`), 'nothing', url);
    }
  });
});
