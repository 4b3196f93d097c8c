// The packages in dist/, as far as publishing needs to know them.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const BLOCK = 512;

/**
 * @typedef {object} Tarball
 * @property {string} file its path
 * @property {string} name the package's
 * @property {string} version
 * @property {string} integrity as registries give it
 * @property {Record<string, any>} manifest its package.json
 */

/**
 * Every package of a folder, those for one platform first: the main one names them, so that it must
 * not be there before them.
 *
 * @param {string} folder
 * @param {string} main name of the main package
 * @returns {Tarball[]}
 * @throws {Error} where they do not belong together
 */
export function tarballsOf(folder, main) {
  const all = readdirSync(folder)
    .filter(name => name.endsWith('.tgz'))
    .sort()
    .map(name => tarball(join(folder, name)));
  const mains = all.filter(({ name }) => name === main);
  if (mains.length !== 1)
    throw new Error(`${folder} has ${mains.length} packages ${main}, not one`);
  const others = all.filter(({ name }) => name !== main);
  const { version, manifest } = mains[0];
  const named = manifest.optionalDependencies ?? {};
  for (const other of others) {
    if (other.version !== version) {
      throw new Error(`${other.file} has version ${other.version}, ${main} ${version}`);
    }
    if (named[other.name] !== version) {
      throw new Error(`${main} does not name ${other.name} at ${version}`);
    }
  }
  return [...others, ...mains];
}

/** The packages that the main one names and the folder lacks. */
export function missingOf(tarballs) {
  const { manifest } = tarballs.at(-1);
  const there = tarballs.map(({ name }) => name);
  return Object.keys(manifest.optionalDependencies ?? {}).filter(name => !there.includes(name));
}

/** @returns {Tarball} */
function tarball(file) {
  const bytes = readFileSync(file);
  const manifest = JSON.parse(entry(gunzipSync(bytes), 'package/package.json', file));
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  return { file, name: manifest.name, version: manifest.version, integrity, manifest };
}

/** One file of a tar archive, as text. */
function entry(archive, wanted, file) {
  const field = (at, start, end) =>
    archive
      .subarray(at + start, at + end)
      .toString('latin1')
      .replace(/\0.*$/s, '');
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const name = field(at, 0, 100);
    const size = Number.parseInt(field(at, 124, 136), 8) || 0;
    if (name === wanted) return archive.subarray(at + BLOCK, at + BLOCK + size).toString();
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
  throw new Error(`${file} has no ${wanted}`);
}
