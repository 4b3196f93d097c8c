'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { version } = require('../../package.json');
const { noAddon } = require('./error.js');
const { abiOf, thisHost } = require('./host.js');
const { explainMissing } = require('./missing.js');
const { explainRefusal } = require('./refused.js');

const root = path.join(__dirname, '../..');
const BINDING = '@roomcast/binding';

/**
 * Loads the addon. The first of these that is there counts: where it fails, no other takes its place.
 *
 * 1. the file that the environment's `NAPI_RS_NATIVE_LIBRARY_PATH` names, as everywhere with napi-rs
 * 2. what `npm run build` has put into this folder
 * 3. the package for this platform, one of the optional dependencies
 *
 * @param {import('./host.js').Host} [host]
 * @throws {Error} with the code `ROOMCAST_NO_ADDON`: what is wrong and what to do; `cause` is the
 *   loader's own error, where it came to that.
 */
function loadAddon(host = thisHost()) {
  const named = process.env.NAPI_RS_NATIVE_LIBRARY_PATH;
  if (named) return open(path.resolve(named), 'named', host);
  const built = path.join(root, `roomcast.${abiOf(host)}.node`);
  if (fs.existsSync(built)) return open(built, 'built', host);
  return open(fileOfPackage(host, built), 'installed', host);
}

/** The addon's file in the package for this platform. */
function fileOfPackage(host, built) {
  const name = `${BINDING}-${abiOf(host)}`;
  let manifest;
  try {
    manifest = require.resolve(`${name}/package.json`);
  } catch (cause) {
    throw noAddon(host, { ...explainMissing(host, name, root), looked: [built, name], cause });
  }
  const found = require(manifest);
  if (found.version !== version) {
    throw noAddon(host, {
      why: `${name} is version ${found.version}, and roomcast is ${version}`,
      cure:
        'Both have to be of the same version. Remove node_modules and install again; where a lock ' +
        `file or "overrides" name ${name}, remove it from there.`,
      looked: [built, path.dirname(manifest)],
    });
  }
  return path.join(path.dirname(manifest), found.main);
}

function open(file, origin, host) {
  try {
    return require(file);
  } catch (cause) {
    throw noAddon(host, { ...explainRefusal(host, file, origin, cause), looked: [file], cause });
  }
}

module.exports = { loadAddon };
