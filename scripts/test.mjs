// `npm test`: sets up what is missing, then runs every test. All suites run, also where one fails.
import { testJavaScript } from './javascript-tests.mjs';
import { endWithNpm, run } from './run.mjs';
import { setUp } from './setup.mjs';

endWithNpm();
await setUp();

const checkTypes = project =>
  run(process.execPath, ['node_modules/typescript/bin/tsc', '--noEmit', '--project', project]);

const suites = {
  'type checks': () => checkTypes('tsconfig.json'),
  // A page has other globals than a bot.
  'type checks of the client': () => checkTypes('__test__/types/client'),
  'cargo test': () => run('cargo', ['test']),
  'JavaScript tests': () => testJavaScript(),
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
