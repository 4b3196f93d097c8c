// `npm run prebuilds -- [TRIPLE …]`: the addons as they are published, in prebuilds/: for this machine,
// or for the Rust targets that are named. Those for Linux are built on any Linux, and run with glibc
// 2.17 and newer, or on musl. `node scripts/check-addons.mjs` says whether that is so.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sourcesHash } from './addon.mjs';
import { targets } from './addons/targets.mjs';
import { build } from './prebuilds/build.mjs';
import { linkerVersion } from './prebuilds/linker.mjs';
import { endWithNpm, root } from './run.mjs';
import { hostTarget } from './rust-flags.mjs';

const cache = join(root, 'node_modules/.cache/roomcast');

endWithNpm();
try {
  const named = process.argv.length > 2 ? process.argv.slice(2) : [hostTarget()];
  const chosen = named.map(named => {
    const target = targets.find(({ triple }) => triple === named);
    if (target) return target;
    throw new Error(
      `there is no addon for ${named}, only for ${targets.map(({ triple }) => triple).join(', ')}`,
    );
  });
  for (const target of chosen) await prebuild(target);
} catch (error) {
  console.error(`prebuilds: ${error.message}`);
  process.exitCode = 1;
}

/** Builds an addon, where it is not there as the sources are. */
async function prebuild(target) {
  const file = join(root, 'prebuilds', target.file);
  const note = join(cache, `${target.file}.built`);
  const sources = `${sourcesHash()} ${linkerVersion}`;
  const how = () => `${sources} ${hashOf(file)}`;
  let fresh = false;
  try {
    fresh = readFileSync(note, 'utf8') === how();
  } catch {
    // Never built here.
  }
  if (!fresh) {
    console.log(`Building prebuilds/${target.file} (a few minutes)`);
    await build(target, file);
    mkdirSync(cache, { recursive: true });
    // Sources that changed meanwhile are built anew the next time.
    writeFileSync(note, how());
  }
  console.log(`prebuilds/${target.file}  ${statSync(file).size} bytes`);
}

function hashOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
