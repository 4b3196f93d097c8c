'use strict';

// The packages as they are published, and what they depend on, as tarballs.

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { promisify } = require('node:util');
const { abiOf, thisHost } = require('../../lib/addon/host');
const { addonFile } = require('./package');

const root = path.join(__dirname, '../..');
const run = promisify(execFile);
const napi = path.join(root, 'node_modules/@napi-rs/cli/dist/cli.js');

/**
 * Packs roomcast by `npm run pack:all`, with the addon that these tests run with.
 *
 * @param {string} folder
 * @returns {Promise<string[]>} tarballs: the main one, and this platform's
 */
async function packRoomcast(folder) {
  const addons = path.join(folder, 'addons');
  fs.mkdirSync(addons, { recursive: true });
  fs.copyFileSync(addonFile(), path.join(addons, `roomcast.${abiOf(thisHost())}.node`));
  const script = path.join(root, 'scripts/pack.mjs');
  await run(process.execPath, [script, '--addons', addons, '--output', folder], { cwd: root });
  return tarballsIn(path.join(folder, 'dist')).sort((a, b) => a.length - b.length);
}

/**
 * Packs packages of platforms that there is no addon of here: as they are, but for a file that does
 * not load.
 *
 * @param {string} folder
 * @param {string[]} tarballs of the platforms that there are
 * @returns {Promise<string[]>} tarballs
 */
async function packOtherPlatforms(folder, tarballs) {
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
  await run(process.execPath, [napi, 'create-npm-dirs', '--cwd', folder, '--npm-dir', '.']);
  const others = fs
    .readdirSync(folder, { withFileTypes: true })
    .filter(
      entry => entry.isDirectory() && !tarballs.some(file => file.includes(`-${entry.name}-`)),
    )
    .map(({ name }) => path.join(folder, name));
  for (const other of others) {
    fs.writeFileSync(path.join(other, readManifest(other).main), 'not built here');
  }
  await npm(['pack', '--ignore-scripts', '--pack-destination', folder, ...others]);
  return tarballsIn(folder);
}

/**
 * Packs packages of this repository's node_modules, with all that they need.
 *
 * @param {string} folder
 * @param {string[]} names
 * @returns {Promise<string[]>} tarballs
 */
async function packInstalled(folder, names) {
  const folders = new Set();
  const add = (name, from) => {
    const found = folderOf(name, from);
    if (folders.has(found)) return;
    folders.add(found);
    const { dependencies = {} } = readManifest(found);
    for (const needed of Object.keys(dependencies)) add(needed, found);
  };
  for (const name of names) add(name, root);
  return Promise.all([...folders].map((found, index) => packFolder(folder, found, index)));
}

/** Not by `npm pack`, which before npm 11 prepares a package, for which it lacks the tools. */
async function packFolder(folder, found, index) {
  const place = path.join(folder, String(index));
  const isOwn = file => path.relative(found, file) !== 'node_modules';
  await fs.promises.cp(found, path.join(place, 'package'), { recursive: true, filter: isOwn });
  await run('tar', ['-czf', `${place}.tgz`, '-C', place, 'package']);
  return `${place}.tgz`;
}

/** Where a package is, for one that needs it. */
function folderOf(name, from) {
  const places = createRequire(path.join(from, 'package.json')).resolve.paths(name);
  return places
    .map(place => path.join(place, name))
    .find(place => fs.existsSync(path.join(place, 'package.json')));
}

const readManifest = folder => JSON.parse(fs.readFileSync(path.join(folder, 'package.json')));

const tarballsIn = folder =>
  fs
    .readdirSync(folder)
    .filter(name => name.endsWith('.tgz'))
    .map(name => path.join(folder, name));

/** npm's own script: it runs with whatever PATH. */
function npmScript() {
  const { npm_execpath: running, PATH } = process.env;
  if (running && path.basename(running) === 'npm-cli.js') return running;
  const besides = PATH.split(path.delimiter).flatMap(place => [
    // On Windows beside npm.cmd, elsewhere where `npm` links to.
    path.join(place, 'node_modules/npm/bin/npm-cli.js'),
    path.join(place, 'npm'),
  ]);
  const found = besides.filter(fs.existsSync).map(file => fs.realpathSync(file));
  return found.find(file => path.basename(file) === 'npm-cli.js');
}

/** Runs npm; resolves with its output, rejects with it where it fails. */
function npm(args, options) {
  return run(process.execPath, [npmScript(), ...args], { cwd: root, ...options });
}

module.exports = { npm, npmScript, packInstalled, packOtherPlatforms, packRoomcast, run };
