// `npm run bench`: sets up, measures, prints, and writes the page where that is asked for.

import { writeFileSync } from 'node:fs';
import { descriptors, machine } from './machine.mjs';
import { measure } from './measure.mjs';
import { parse, USAGE } from './options.mjs';
import { peers } from './peers.mjs';
import { redisVersion } from './redis.mjs';
import { groups } from './scenarios/all.mjs';
import { prepare } from './setup.mjs';

const options = read();
if (process.platform !== 'linux') fail('The suite reads /proc: it runs on Linux.');
if (!redisVersion()) leaveOutCluster();
await prepare();

// Behind the set-up: what reports is installed by it.
const { print, printFigures } = await import('./report/console.mjs');
const measured = await measure({ ...options, descriptors: descriptors() }, (line, figures) =>
  figures ? printFigures(line, figures) : console.log(line),
);
const { quick } = options;
const result = {
  date: new Date().toISOString().slice(0, 10),
  quick,
  machine: machine(),
  ...measured,
};
print(result);

if (options.json) writeFileSync(options.json, `${JSON.stringify(result)}\n`);
if (options.write) await (await import('./report/page.mjs')).write(result);
// A peer may be missing on a machine; roomcast may not.
const ours = ['roomcast', 'standalone', 'relayed', 'clustered'].some(name => measured.absent[name]);
if (ours || measured.faults.length > 0) process.exitCode = 1;

function leaveOutCluster() {
  const why = 'there is no redis-server on the PATH (apt install redis-server)';
  const left = options.scenarios.filter(scenario => !groups.cluster.includes(scenario));
  if (left.length === 0) fail(`The cluster cannot be measured: ${why}.`);
  if (left.length < options.scenarios.length) console.log(`The cluster is left out: ${why}.`);
  options.scenarios = left;
}

function read() {
  try {
    const options = parse(process.argv.slice(2), groups, peers);
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
