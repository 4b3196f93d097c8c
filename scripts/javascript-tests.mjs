import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

// Far beyond what any test takes: only there so that one that hangs ends a run instead of
// blocking it.
const HANGS_AFTER_MS = 300_000;

/** Every file of tests, from the project's root. */
export const javaScriptTests = readdirSync(join(root, '__test__'))
  .filter(name => name.endsWith('.test.js'))
  .map(name => join('__test__', name));

/** Runs the files under a Node, this one unless told, and resolves with the exit code. */
export function testJavaScript(node = process.execPath, files = javaScriptTests) {
  const options = ['--test', '--test-reporter=spec', `--test-timeout=${HANGS_AFTER_MS}`];
  return run(node, [...options, ...files]);
}
