import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

const json = path => JSON.parse(readFileSync(path, 'utf8'));

/**
 * Whether a folder's node_modules holds what its package-lock.json says. npm's own record of what it
 * installed is compared with the lock, and the versions on the disk with that record, so that it
 * does not matter who ran `npm ci` and when.
 */
export function dependenciesMatch(folder = root) {
  const wanted = json(join(folder, 'package-lock.json')).packages;
  let installed;
  try {
    installed = json(join(folder, 'node_modules/.package-lock.json')).packages;
    return (
      Object.entries(wanted).every(
        ([path, entry]) => path === '' || holds(folder, installed, path, entry),
      ) && Object.keys(installed).every(path => path in wanted)
    );
  } catch {
    return false;
  }
}

function holds(folder, installed, path, entry) {
  const found = installed[path];
  // npm leaves out what is made for another platform.
  if (!found) return entry.optional === true;
  return (
    found.integrity === entry.integrity &&
    json(join(folder, path, 'package.json')).version === entry.version &&
    // A node_modules that was copied from another machine holds that machine's binaries.
    allows(entry.os, process.platform) &&
    allows(entry.cpu, process.arch)
  );
}

/** What a package says of its platforms: one, or a list, or nothing. */
function allows(said = [], value) {
  const list = [said].flat();
  const allowed = list.filter(name => !name.startsWith('!'));
  return !list.includes(`!${value}`) && (allowed.length === 0 || allowed.includes(value));
}
