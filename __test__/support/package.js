'use strict';

// A copy of roomcast as a bot has it: in node_modules, beside what it is given of its platforms.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '../..');
const { name, version } = require('../../package.json');

/** A folder that goes when the test is over. */
function temporaryFolder(t) {
  // Its real path, which is what Node's errors have.
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-')));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/** The file of the addon that these tests run with. */
function addonFile() {
  require('../../lib/addon');
  return Object.keys(require.cache).find(file => file.endsWith('.node'));
}

/**
 * Lays out a project with a copy of roomcast, without an addon.
 *
 * @param {import('node:test').TestContext} t
 */
function layProject(t) {
  const folder = temporaryFolder(t);
  const modules = path.join(folder, 'node_modules');
  const own = path.join(modules, name);
  for (const part of ['package.json', 'index.js', 'index.mjs', 'lib']) {
    fs.cpSync(path.join(root, part), path.join(own, part), { recursive: true });
  }
  return {
    folder,
    /** roomcast's folder. */
    own,
    /**
     * Puts a platform's package beside it.
     *
     * @param {string} abi
     * @param {{ file?: string, version?: string }} [settings] `file` is copied into it as its addon
     * @returns {string} where its addon is, or would be
     */
    addPlatform(abi, settings = {}) {
      const place = path.join(modules, `@roomcast/binding-${abi}`);
      const main = `roomcast.${abi}.node`;
      fs.mkdirSync(place, { recursive: true });
      write(path.join(place, 'package.json'), {
        name: `@roomcast/binding-${abi}`,
        version: settings.version ?? version,
        main,
      });
      if (settings.file) fs.copyFileSync(settings.file, path.join(place, main));
      return path.join(place, main);
    },
    /** Writes a package-lock.json with these in node_modules. */
    lock(...names) {
      const packages = names.map(one => [`node_modules/${one}`, {}]);
      write(path.join(folder, 'package-lock.json'), { packages: Object.fromEntries(packages) });
    },
    /** What the copy's loader does, for a host. */
    load: host => require(path.join(own, 'lib/addon/load.js')).loadAddon(host),
  };
}

function write(file, value) {
  fs.writeFileSync(file, JSON.stringify(value));
}

module.exports = { addonFile, layProject, temporaryFolder };
