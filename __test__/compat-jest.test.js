'use strict';

// A bot whose tests run under Jest: it ends by itself, without --forceExit.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { layBotFolder } = require('./support/bot-folder');
const { needs, pathOf } = require('./support/compat');
const { runToEnd } = require('./support/process');
const { share } = require('./support/suite');

const fixtures = path.join(__dirname, 'fixtures/jest');
const FILES = fs.readdirSync(fixtures).filter(name => name.endsWith('.spec.js')).length;

let folder;

share(t => {
  folder = layBotFolder(t, 'ws');
  fs.cpSync(fixtures, folder, { recursive: true });
  // Nothing of it has to be transformed, which would take most of the time.
  const jest = { transform: {}, cacheDirectory: path.join(folder, 'cache') };
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true, jest }));
});

/** What Jest says where something keeps it, or has to be killed. */
const KEPT = /open handle|did not exit|failed to exit gracefully|force exit/i;

/** Runs all files; they pass, and nothing keeps Jest. */
async function runJest(t, ...options) {
  const args = [pathOf('jest'), '--ci', ...options];
  const { code, output } = await runToEnd(t, args, { cwd: folder });
  assert.equal(code, 0, output);
  assert.match(output, new RegExp(`^Tests: +${FILES} passed, ${FILES} total$`, 'm'));
  assert.doesNotMatch(output, KEPT);
}

describe('a bot tested by Jest', needs('jest'), () => {
  const ways = {
    'in one process, nothing of it left open': ['--detectOpenHandles'],
    'in processes beside each other': ['--maxWorkers=2'],
    'in threads beside each other': ['--maxWorkers=2', '--workerThreads'],
  };
  for (const [way, options] of Object.entries(ways)) {
    it(`ends by itself, its files ${way}`, t => runJest(t, ...options));
  }
});
