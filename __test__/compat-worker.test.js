'use strict';

// roomcast as it is installed, in worker threads alone: the main thread does not load it.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { it } = require('node:test');
const { layBotFolder } = require('./support/bot-folder');
const { runToEnd } = require('./support/process');

const fixtures = path.join(__dirname, 'fixtures/workers');
const ROUNDS = 5;

it('bots in several threads at once end in each way, and the process by itself', async t => {
  const folder = layBotFolder(t, 'ws');
  fs.cpSync(fixtures, folder, { recursive: true });
  const main = path.join(folder, 'main.js');
  const { code, signal, output } = await runToEnd(t, [main, String(ROUNDS)]);
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, output);
  const round = 'closes: 0, exits: 3, throws: 1, is terminated: 1\n';
  assert.equal(output, round.repeat(ROUNDS));
});
