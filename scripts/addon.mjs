// Tells whether the built addon is that of the sources as they are. Content decides, not times: a
// checkout or a copy changes every time and nothing else.
//
//   node scripts/addon.mjs begin    before a build: notes what is going to be built
//   node scripts/addon.mjs end      after it: the build's results belong to what was noted
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

const cache = join(root, 'node_modules/.cache/roomcast');
const begun = join(cache, 'addon.begun');
const built = join(cache, 'addon.built');

/** Whether the addon is there and was built from the present sources on this platform. */
export function addonIsFresh() {
  try {
    const { sources, results } = JSON.parse(readFileSync(built, 'utf8'));
    return sources === sourcesHash() && results === resultsHash();
  } catch {
    return false;
  }
}

/** What the sources of an addon are, as they are now. */
export function sourcesHash() {
  const files = ['Cargo.toml', 'Cargo.lock', 'build.rs', ...filesUnder('src')];
  // The rest of it is not about the build.
  const { napi, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return hash(
    files.filter(file => existsSync(join(root, file))),
    JSON.stringify([process.platform, process.arch, napi, scripts.build]),
  );
}

function resultsHash() {
  const addons = readdirSync(root).filter(name => /^roomcast\..+\.node$/.test(name));
  if (addons.length === 0) throw new Error('No addon has been built');
  return hash(['binding.d.ts', ...addons.sort()]);
}

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
    .sort();
}

function hash(files, start = '') {
  const sum = createHash('sha256').update(start);
  for (const file of files) {
    const content = readFileSync(join(root, file));
    sum.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return sum.digest('hex');
}

if (process.argv[2] === 'begin') {
  mkdirSync(cache, { recursive: true });
  rmSync(built, { force: true });
  writeFileSync(begun, JSON.stringify({ sources: sourcesHash() }));
} else if (process.argv[2] === 'end' && existsSync(begun)) {
  // Where another build has taken the note meanwhile, nobody knows what was built: not fresh.
  const { sources } = JSON.parse(readFileSync(begun, 'utf8'));
  writeFileSync(begun, JSON.stringify({ sources, results: resultsHash() }));
  renameSync(begun, built);
}
