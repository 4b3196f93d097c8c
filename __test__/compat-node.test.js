'use strict';

// The newer Nodes of compat/: what touches the addon, Node's http and its threads works there, too.
// `npm run test:node` runs everything under them.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const path = require('node:path');
const { describe, it } = require('node:test');
const { promisify } = require('node:util');
const { needs, pathOf } = require('./support/compat');

const SAMPLE = [
  'beside',
  'close',
  'cluster-updates',
  'compat-worker',
  'esm',
  'events',
  'handover',
  'hostile-headers',
  'protocol',
  'session-authenticator',
  'setup',
  'upgrade',
];

/** They take half a minute. */
const HANGS_AFTER_MS = 240_000;

const run = promisify(execFile);

async function runSample(node) {
  const files = SAMPLE.map(name => path.join(__dirname, `${name}.test.js`));
  // Such a runner would take itself for a file of this one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  try {
    const args = ['--test', '--test-reporter=tap', ...files];
    const options = { env, timeout: HANGS_AFTER_MS, maxBuffer: 64 * 1024 * 1024 };
    return (await run(node, args, options)).stdout;
  } catch (error) {
    const failed = /^.*not ok .*$[\s\S]*?^ *\.\.\.$/m.exec(error.stdout)?.[0];
    assert.fail(failed ?? `${error.message}\n${error.stdout}\n${error.stderr}`);
  }
}

describe('a sample of these tests', () => {
  for (const major of [22, 24]) {
    const name = `node${major}`;
    it(`passes under Node ${major}`, needs(name), async t => {
      const { stdout: version } = await run(pathOf(name), ['--version']);
      assert.match(version, new RegExp(`^v${major}\\.`));
      const output = await runSample(pathOf(name));
      const count = what => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(output)[1]);
      t.diagnostic(`${version.trim()}: ${count('pass')} passed, ${count('skipped')} skipped`);
      assert.ok(count('pass') > 10 * SAMPLE.length);
    });
  }
});
