'use strict';

// A bot's project outside of this repository, and npm as it is where nobody compiles anything.

const fs = require('node:fs');
const path = require('node:path');
const { npm } = require('./packed');

/**
 * Makes an empty project.
 *
 * @param {string} folder
 * @param {{ registry: string, cache: string }} settings `registry` is the only address that npm asks
 */
function createProject(folder, { registry, cache }) {
  const tools = path.join(folder, 'no-tools');
  fs.mkdirSync(tools, { recursive: true });
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ private: true }));
  // Nothing else of the environment: npm gives its own settings on to what it runs, by that.
  const env = {
    PATH: tools,
    HOME: folder,
    USERPROFILE: folder,
    SystemRoot: process.env.SystemRoot,
  };
  const settings = ['--registry', registry, '--cache', cache, '--no-audit', '--no-fund'];
  return {
    folder,
    env,
    /** Runs npm in the project; resolves with its output. */
    npm: (...args) => npm([...args, ...settings], { cwd: folder, env }),
    /** Where a package was put. */
    at: name => path.join(folder, 'node_modules', name),
    has: name => fs.existsSync(path.join(folder, 'node_modules', name)),
    lock: () => JSON.parse(fs.readFileSync(path.join(folder, 'package-lock.json'), 'utf8')),
  };
}

module.exports = { createProject };
