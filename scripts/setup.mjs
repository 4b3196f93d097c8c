// Brings a clone to where the bot and the tests run: the packages of package-lock.json, and the
// addon. Does nothing where both are there already. Built-in modules only: nothing is installed
// yet.
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { addonIsFresh } from './addon.mjs';
import { dependenciesMatch } from './dependencies.mjs';
import { npm } from './run.mjs';

const OLDEST_NODE = 20;

/**
 * Resolves once everything is in place. Ends the process, with a message that says what to do,
 * where that cannot be.
 */
export async function setUp() {
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    fail(
      `Node.js ${OLDEST_NODE} or newer is needed, this is ${process.version}: https://nodejs.org/`,
    );
  }
  if (!dependenciesMatch()) {
    console.log('Setting up: npm ci');
    await step('npm ci', npm('ci', '--no-audit', '--no-fund'));
  }
  if (!addonIsFresh()) {
    if (spawnSync('cargo', ['--version']).error) {
      fail('Rust is needed to build the addon, and `cargo` is not on the PATH: https://rustup.rs/');
    }
    console.log('Setting up: npm run build (the first time takes a few minutes)');
    await step('npm run build', npm('run', 'build'));
  }
}

async function step(name, result) {
  const code = await result;
  if (code !== 0)
    fail(`\`${name}\` failed with exit code ${code}; its output above says why.`, code);
}

function fail(message, code = 1) {
  console.error(`\n${message}`);
  process.exit(code);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await setUp();
