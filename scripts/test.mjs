// `npm test`: sets up what is missing, then runs every test. All suites run, also where one fails.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { endWithNpm, root, run } from './run.mjs';
import { setUp } from './setup.mjs';

// Far beyond what any test takes: only there so that one that hangs ends a run instead of
// blocking it.
const HANGS_AFTER_MS = 300_000;

endWithNpm();
await setUp();

const tests = readdirSync(join(root, '__test__'))
  .filter(name => name.endsWith('.test.js'))
  .map(name => join('__test__', name));

const checkTypes = project =>
  run(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '--project', project]);

const suites = {
  'type checks': () => checkTypes('tsconfig.json'),
  // A page has other globals than a bot.
  'type checks of the client': () => checkTypes('__test__/types/client'),
  'cargo test': () => run('cargo', ['test']),
  'JavaScript tests': () =>
    run(process.execPath, [
      '--test',
      '--test-reporter=spec',
      `--test-timeout=${HANGS_AFTER_MS}`,
      ...tests,
    ]),
};

const failed = [];
for (const [name, suite] of Object.entries(suites)) {
  console.log(`\n${name}`);
  if ((await suite()) !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nFailed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
