// Brings together what a run needs: roomcast itself, the peers, the driver. Does nothing where all
// is there. Built-in modules only: nothing is installed yet.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setUp } from '../scripts/setup.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/** Ends the process, behind the output that says why, where something cannot be had. */
export async function prepare() {
  await setUp();
  if (!installed()) step('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], here);
  step('cargo', ['build', '--release', '--locked', '--quiet'], `${here}driver`);
}

/**
 * npm keeps a copy of the lock that it installed; the optional packages of other platforms are not
 * in it.
 */
function installed() {
  try {
    const packages = file => JSON.parse(readFileSync(`${here}${file}`, 'utf8')).packages;
    const present = packages('node_modules/.package-lock.json');
    return Object.entries(packages('package-lock.json')).every(
      ([path, { version, optional }]) =>
        path === '' || present[path]?.version === version || (optional && !present[path]),
    );
  } catch {
    return false;
  }
}

function step(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: 'inherit' });
  if (error) console.error(`${command} cannot be run: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
