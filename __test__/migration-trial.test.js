'use strict';

// The trial of the migration document: both servers in one bot, the new one on a path of its own, and
// the old one again afterwards. It starts a bot with a database three times, and takes seconds for that.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { useBrowser } = require('./support/browser');
const { typeInto } = require('./support/console');
const {
  KNOWN_STATS,
  assertSameButForNew,
  needsPredecessor,
  startPredecessor,
} = require('./support/predecessor');
const { pageCode } = require('./support/sitting');
const { until } = require('./support/wait');

describe('the new server', needsPredecessor, () => {
  const open = useBrowser();

  it('may be tried beside the old server, and be undone', async t => {
    const { sitting, openAs, stats } = await startPredecessor(t, open);
    const files = sitting.files();
    await sitting.runCommands('Step 1: install it');
    await sitting.runCommands('Step 2: put the old room server aside');
    sitting.writeFiles('Step 2: put the old room server aside');
    sitting.writeFiles('Step 3: add the new one');
    assert.equal(sitting.writeFiles('Both side by side').length, 2);
    await sitting.restart({ ROOMS: 'both' });

    const { page, lines } = await openAs('ben');
    await typeInto(page, pageCode('Both side by side'));
    await until(
      () => lines.length === 4,
      () => `both in the room, not ${lines}`,
    );
    for (const what of ['join', 'leave']) {
      await page.request.post(`${sitting.origin}/api/rooms/1/${what}`);
    }
    const data = { current: '7', max: 50 };
    await page.request.post(`${sitting.origin}/api/rooms/1/announce`, { data });
    await until(
      () => lines.length === 10,
      () => `every update twice, not ${lines}`,
    );
    const from = path =>
      lines
        .map(line => line.split(/ (.*)/))
        .filter(([name]) => name === path)
        .map(([, text]) => JSON.parse(text));
    const [old, trial] = [from('/ws/rooms'), from('/ws/rooms-trial')];
    assert.equal(old.length, 5);
    // A count that is text is one of those things.
    assert.equal(old[4].currentParticipants, '7');
    old[4].currentParticipants = 7;
    for (const [index, message] of trial.entries()) assertSameButForNew(message, old[index]);
    assert.deepEqual(Object.keys(await stats()), KNOWN_STATS);

    await sitting.runCommands('The way back');
    assert.deepEqual(
      sitting.files().filter(file => !file.endsWith('.both.js')),
      files,
    );
    await sitting.restart();
    await typeInto(page, pageCode('Step 5: restart'));
    await until(() => lines.some(line => /^\{"type":"ROOM_JOINED"/.test(line)), 'the old server');
    assert.deepEqual(Object.keys(await stats()), KNOWN_STATS);
  });
});
