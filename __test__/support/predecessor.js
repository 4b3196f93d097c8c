'use strict';

// A bot with a room server on top of `ws`, running, its pages, and what is the same in both servers.

const assert = require('node:assert/strict');
const { linesOf } = require('./console');
const { needsBrowser } = require('./browser');
const { needsRedis, startRedis } = require('./redis');
const { sitDown } = require('./sitting');

/** The keys of `getStats()` that pages and scripts of the predecessor's users know. */
const KNOWN_STATS = [
  'totalRoomsWithClients',
  'totalConnections',
  'totalUsersTracked',
  'activeRooms',
];
const APPENDED = new Set(['seq', 'epoch', 'recovered']);

const needsPredecessor = { skip: needsBrowser.skip || needsRedis.skip };

/**
 * Starts the predecessor's bot.
 *
 * @param {import('node:test').TestContext} t
 * @param {ReturnType<import('./browser')['useBrowser']>} open
 */
async function startPredecessor(t, open) {
  const sitting = sitDown(t);
  const redis = await startRedis(t);
  sitting.configure({ REDIS_URL: redis.url, SESSION_SECRET: 'a secret' });
  await sitting.start();
  sitting.write('public/empty.html', '<!doctype html>');

  /** A page, of somebody who is signed in where there is a name, and the lines of its console. */
  async function openAs(id, file = 'empty.html') {
    const page = await open(t);
    const lines = linesOf(page);
    if (id) {
      await page.request.post(`${sitting.origin}/api/session`, { data: { id, firstName: id } });
    }
    await page.goto(`${sitting.origin}/${file}`);
    return { page, lines };
  }
  const stats = async () => (await fetch(`${sitting.origin}/api/stats`)).json();
  return { redis, sitting, openAs, stats };
}

/** Fields that are new stand behind the others; all the others are the same, in the same order. */
function assertSameButForNew(message, old) {
  const fields = Object.keys(old);
  assert.deepEqual(Object.keys(message).slice(0, fields.length), fields);
  for (const field of Object.keys(message).slice(fields.length)) {
    assert.ok(APPENDED.has(field), `${field} in ${JSON.stringify(message)}`);
  }
  for (const field of fields) {
    if (field !== 'timestamp') assert.deepEqual(message[field], old[field], JSON.stringify(old));
    else assert.match(message.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
}

module.exports = { KNOWN_STATS, assertSameButForNew, needsPredecessor, startPredecessor };
