// The JavaScript tests under other Nodes, one after the other, those of compat/:
//
//   npm run test:node -- 22 24                            all of them
//   npm run test:node -- 24 __test__/handover.test.js     these
//
// Tests that start programs start them by the Node that runs the tests. Left out are those that start a
// runtime of their own.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { dependenciesMatch } from './dependencies.mjs';
import { javaScriptTests, testJavaScript } from './javascript-tests.mjs';
import { endWithNpm, npm, root } from './run.mjs';
import { setUp } from './setup.mjs';

const OTHER_RUNTIMES = /[/\\]compat-(bun|deno|node)\.test\.js$/;

const { pathOf } = createRequire(import.meta.url)('../__test__/support/compat.js');

endWithNpm();
const given = process.argv.slice(2);
const majors = given.filter(one => /^\d+$/.test(one));
const files = given.filter(one => !majors.includes(one));
if (majors.length === 0 || !files.every(existsSync)) {
  console.error('Usage: npm run test:node -- 22 24 [FILE…]');
  process.exit(2);
}

await setUp();
if (!dependenciesMatch(join(root, 'compat'))) {
  console.log('Setting up: npm ci --prefix compat');
  if ((await npm('ci', '--prefix', 'compat')) !== 0) process.exit(1);
}

const wanted = files.length > 0 ? files : javaScriptTests.filter(one => !OTHER_RUNTIMES.test(one));
const failed = [];
for (const major of majors) {
  console.log(`\nNode ${major}`);
  if ((await testJavaScript(pathOf(`node${major}`), wanted)) !== 0) failed.push(major);
}
if (failed.length > 0) {
  console.error(`\nFailed under Node ${failed.join(', ')}`);
  process.exitCode = 1;
}
