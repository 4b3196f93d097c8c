// `npm run soak`: clients of every kind before one hub, for a given time; docs/reliability.md says
// what it does and what its table means.

import { endWithNpm } from '../scripts/run.mjs';
import { conduct } from './conductor.mjs';
import { parse, USAGE } from './options.mjs';
import { judge, print } from './report.mjs';

const options = read();
if (process.platform !== 'linux') fail('The soak reads /proc: it runs on Linux.');
endWithNpm();

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // Who asks twice does not want to wait.
    if (stop.signal.aborted) process.exit(130);
    console.log('\nComing to rest; once more to stop at once.');
    stop.abort();
  });
}

const { minutes, clients, form, seed } = options;
console.log(`Soaking for ${minutes} min, ${clients} clients, form ${form}, seed ${seed}`);
const result = await conduct(options, line => console.log(line), stop.signal);
print(result);
const wrong = judge(result);
if (wrong.length > 0) {
  console.error(`\nFailed:\n  ${wrong.join('\n  ')}`);
  process.exitCode = 1;
} else {
  console.log('\nNothing missing, nothing twice, everything given back.');
}

function read() {
  try {
    const options = parse(process.argv.slice(2));
    if (options.help) {
      console.log(USAGE);
      process.exit();
    }
    return options;
  } catch (error) {
    return fail(`${error.message}\n\n${USAGE}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
