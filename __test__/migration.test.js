'use strict';

// The migration document, done: a bot with a room server on top of `ws` gets this one in its place and
// goes back, with two pages open all the time: the guide's, and one with the browser's client. It starts a
// bot with a database five times, and takes seconds for that.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { useBrowser } = require('./support/browser');
const { typeInto } = require('./support/console');
const { answersToJoins, converse, endOf } = require('./support/conversation');
const { codeBlocks, codeUnder } = require('./support/markdown');
const {
  KNOWN_STATS,
  assertSameButForNew,
  needsPredecessor,
  startPredecessor,
} = require('./support/predecessor');
const { pageCode, roomIdRows } = require('./support/sitting');
const { until } = require('./support/wait');

const guide = path.join(__dirname, 'fixtures/integration-guide.md');
const TOO_LARGE = 'x'.repeat(64 * 1024 + 1);

/** The guide's page, with the reconnecting that it leaves to its reader. */
function guidePage(origin) {
  let code = codeUnder(codeBlocks(guide), 'Connect to WebSocket', 'javascript');
  for (const [what, by] of [
    ['localhost:3000', new URL(origin).host],
    ['// Attempt reconnect', 'setTimeout(connect, 100);'],
  ]) {
    assert.equal(code.split(what).length, 2, `${what} is there once`);
    code = code.replace(what, by);
  }
  return `<!doctype html><script>function connect() {\n${code}\n}\nconnect();</script>`;
}

const CLIENT_PAGE = `<!doctype html><script type="module">
  import { RoomClient } from './room-client.js';
  window.shown = [];
  const client = new RoomClient({ poll: false });
  client.addEventListener('update', ({ detail }) => shown.push(detail.currentParticipants));
  client.join(1);
</script>`;

/** Whether an answer to a join is what the document's table says in words. */
function assertAnswered(answer, words) {
  const [, room] = /^room (\d+)/.exec(words) ?? [];
  if (room) assert.equal(answer.roomId, Number(room), words);
  else assert.equal(`\`${answer.error}\``, words);
}

describe('the migration from ws', needsPredecessor, () => {
  const open = useBrowser();

  /** How connections end that ought to: of a message too large, of a session that is none. */
  async function endsOf({ redis, sitting, openAs }) {
    const { page } = await openAs('ben');
    const end = () => endOf(page, TOO_LARGE);
    const [cookie] = await page.context().cookies();
    const [sid] = decodeURIComponent(cookie.value).slice(2).split('.');
    const bring = value =>
      page.context().addCookies([{ name: cookie.name, value, url: sitting.origin }]);

    const tooLarge = await end();
    // The store has prolonged the key of a session in use, and left its text.
    const session = JSON.parse(await redis.cli('GET', `sess:${sid}`));
    session.cookie.expires = new Date(0);
    await redis.cli('SET', `sess:${sid}`, JSON.stringify(session), 'KEEPTTL');
    const prolonged = await end();
    await bring(`s%3A${sid}.forged`);
    const forged = await end();
    await bring(cookie.value);
    await redis.cli('PEXPIRE', `sess:${sid}`, 1);
    await until(async () => (await redis.cli('EXISTS', `sess:${sid}`)) === '0', 'the expiry');
    const expired = await end();
    await page.context().clearCookies();
    const nobody = await end();
    await page.close();
    return { tooLarge, prolonged, forged, expired, nobody };
  }

  /** What the document says that one sees in the console, of a member and of nobody. */
  async function assertConsoleShows(member, nobody) {
    const code = pageCode('Step 5: restart');
    await typeInto(member.page, code);
    const { lines } = member;
    await until(
      () => lines.length === 3,
      () => `three lines, not ${lines}`,
    );
    const [established, joined, denied] = lines.map(line => JSON.parse(line));
    assert.equal(established.userId, 'ben');
    assert.deepEqual(Object.keys(joined).slice(-2), ['seq', 'epoch']);
    assert.equal(denied.error, 'Access denied to this room');
    await typeInto(nobody.page, code);
    await until(() => nobody.lines.length === 1, 'the close');
    assert.deepEqual(nobody.lines, ['1008 Unauthorized']);
    for (const { page } of [member, nobody]) await page.close();
  }

  it('is one sitting, and so is the way back', async t => {
    const bot = await startPredecessor(t, open);
    const { sitting, openAs, stats } = bot;
    sitting.write('public/guide.html', guidePage(sitting.origin));
    sitting.write('public/client.html', CLIENT_PAGE);
    const client = fs.readFileSync(require.resolve('roomcast/client'), 'utf8');
    sitting.write('public/room-client.js', client);
    const { page: ben } = await openAs('ben');
    const { lines } = await openAs('123456789', 'guide.html');
    const { page: other } = await openAs('ada', 'client.html');

    /** The statistics, once the two pages are in their room, and nobody else is in any. */
    function statsOfPages() {
      return until(async () => {
        const now = await stats();
        return now.totalConnections === 2 && now;
      }, 'the pages in their room, and they alone');
    }

    /** Ben comes or goes, and the pages that have been open all the time show it. */
    async function assertPagesLive(what, count) {
      await statsOfPages();
      lines.length = 0;
      await ben.request.post(`${sitting.origin}/api/rooms/1/${what}`);
      await until(() => lines.includes(`Room 1 - ${count}/50`), `${count}, of ${lines}`);
      await until(async () => (await other.evaluate('shown.at(-1)')) === count, `${count}`);
    }

    /** What the bot says to pages, in all that they know of it. */
    async function record() {
      return {
        messages: await converse(ben),
        joins: await answersToJoins(ben, ids),
        ends: await endsOf(bot),
        stats: await statsOfPages(),
      };
    }
    const rows = roomIdRows();
    const ids = rows.map(({ roomId }) => roomId);
    assert.equal(rows.length, 6);

    await assertPagesLive('join', 1);
    const before = await record();
    assert.deepEqual(Object.keys(before.stats), KNOWN_STATS);

    assert.equal(await sitting.runCommands('Step 1: install it'), 'function\n');
    await sitting.runCommands('Step 2: put the old room server aside');
    assert.equal(sitting.writeFiles('Step 2: put the old room server aside').length, 2);
    await sitting.restart({ ROOMS: 'ws' });
    await assertPagesLive('leave', 0);

    assert.equal(sitting.writeFiles('Step 3: add the new one').length, 2);
    const gone = await sitting.runCommands('Step 4: look for what is gone');
    for (const line of gone.trim().split('\n')) assert.match(line, /^src\/\S+\.ws\.js:/);

    await sitting.restart();
    await statsOfPages();
    await assertConsoleShows(await openAs('ben'), await openAs(undefined));
    const now = await record();
    assert.equal(now.messages.length, before.messages.length);
    for (const [index, message] of now.messages.entries()) {
      assertSameButForNew(message, before.messages[index]);
    }
    assert.deepEqual(Object.keys(now.stats).slice(0, KNOWN_STATS.length), KNOWN_STATS);
    for (const key of KNOWN_STATS) assert.deepEqual(now.stats[key], before.stats[key], key);
    for (const [index, { before: old, now: words }] of rows.entries()) {
      assertAnswered(before.joins[index], old);
      assertAnswered(now.joins[index], words);
    }
    // Nobody looked at signatures: a forged one came as far as its message.
    assert.deepEqual(before.ends, {
      tooLarge: { code: 1009, reason: 'Message too large' },
      prolonged: { code: 1009, reason: 'Message too large' },
      forged: { code: 1009, reason: 'Message too large' },
      expired: { code: 1008, reason: 'Unauthorized' },
      nobody: { code: 1008, reason: 'Unauthorized' },
    });
    assert.deepEqual(now.ends, { ...before.ends, forged: before.ends.nobody });
    await assertPagesLive('join', 1);
    assert.ok(now.messages.some(({ seq }) => seq > 0));

    await sitting.restart({ ROOMS: 'ws' });
    assert.deepEqual(Object.keys(await stats()), KNOWN_STATS);
    await assertPagesLive('leave', 0);

    await sitting.runCommands('Step 7: clear away');
    assert.deepEqual(
      sitting.files().filter(file => /roomWebSocket/.test(file)),
      ['bot/websocket/roomWebSocketHandler.js', 'services/websocket/roomWebSocketService.js'],
    );
    await sitting.restart();
    await assertPagesLive('join', 1);
    assert.ok((await stats()).openConnections > 0);
    // Every count once, whichever server told it.
    assert.deepEqual(await other.evaluate('shown'), [1, 0, 1, 0, 1]);
  });
});
