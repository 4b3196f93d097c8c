'use strict';

// The bot's database in a folder of its own: kept over restarts, and never opened twice.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { it } = require('node:test');
const { launchBot, startBot } = require('./support/bot');
const { signIn } = require('./support/people');
const { needsSignals } = require('./support/signals');

function temporaryFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-bot-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

async function participants(bot, roomId) {
  const somebody = await signIn(bot.address, 'Somebody');
  return (await (await somebody.get(`/api/rooms/${roomId}`)).json()).participants;
}

it(
  'keeps its rooms, also where it is killed, and shares the folder with no other',
  needsSignals,
  async t => {
    const env = { DATA_DIR: path.join(temporaryFolder(t), 'new', 'folder') };
    const first = await startBot(t, { env });
    await (await signIn(first.address, 'Ada')).join(1);

    const second = launchBot(t, { env });
    assert.deepEqual(await second.exited(), { code: 1, signal: null });
    assert.deepEqual(second.errors, [
      `DATA_DIR ${env.DATA_DIR} is in use by another bot: give each its own, or use DATABASE_URL`,
    ]);
    await (await signIn(first.address, 'Alan')).join(1);

    first.kill('SIGKILL');
    await first.exited();
    // Of two that both find the killed one's lock, one gets it.
    const pair = [launchBot(t, { env }), launchBot(t, { env })];
    const loser = await Promise.race(pair.map(async bot => (await bot.exited()) && bot));
    assert.match(loser.errors[0], /is in use by another bot/);
    const winner = pair.find(bot => bot !== loser);
    const address = /http:\S+/.exec(await winner.nextLine())[0];
    assert.deepEqual(await participants({ address }, 1), ['Ada', 'Alan']);

    winner.kill('SIGTERM');
    assert.deepEqual(await winner.exited(), { code: 0, signal: null });
    assert.deepEqual(fs.readdirSync(env.DATA_DIR), ['pgdata']);
  },
);
