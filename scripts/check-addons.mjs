// `node scripts/check-addons.mjs [FILE …]`: whether addons, those in prebuilds/ where none is named, run
// where their names say. A line for each; exits with 1 where one of them does not.
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { inspect } from './addons/faults.mjs';
import { targets } from './addons/targets.mjs';
import { root } from './run.mjs';

const files = process.argv.length > 2 ? process.argv.slice(2) : prebuilt();
if (files.length === 0) fail('There is no addon in prebuilds/: `npm run prebuilds` builds one.');
for (const file of files) check(file);

function prebuilt() {
  const folder = join(root, 'prebuilds');
  try {
    const names = readdirSync(folder).filter(name => name.endsWith('.node'));
    return names.sort().map(name => relative('', join(folder, name)));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return [];
  }
}

function check(file) {
  const target = targets.find(({ file: name }) => name === basename(file));
  if (!target) {
    const names = targets.map(({ file: name }) => name).join(', ');
    return fail(`${file}: no addon has this name; there are ${names}`);
  }
  try {
    const { facts, faults } = inspect(readFileSync(file), target, [root, homedir()]);
    console.log(`${file}: ${facts.join(', ')}`);
    for (const fault of faults) fail(`${file}: ${fault}`);
  } catch (error) {
    fail(`${file}: ${error.message}`);
  }
}

function fail(text) {
  console.error(text);
  process.exitCode = 1;
}
