// What links addons for Linux wherever they are built: zig, which has glibc's symbols of every version and
// musl, by way of cargo-zigbuild. Installed by pip, each file by its hash, into node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, run } from '../run.mjs';

const cache = join(root, 'node_modules/.cache/roomcast');
const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** What there is of it to know that another one is another linker. */
export const linkerVersion = hash(readFileSync(requirements));

/**
 * The environment in which `cargo-zigbuild` runs. Installs what is missing.
 *
 * @throws {Error} that says what to do, where it cannot be installed
 */
export async function linkerEnvironment() {
  const folder = join(cache, `zig-${linkerVersion}`);
  if (!existsSync(folder)) await install(folder);
  return {
    PATH: `${join(folder, 'bin')}${delimiter}${process.env.PATH}`,
    CARGO_ZIGBUILD_ZIG_PATH: join(folder, 'ziglang/zig'),
    // zig's own cache of glibc's and musl's stubs, which it would have in the home folder.
    ZIG_GLOBAL_CACHE_DIR: join(cache, 'zig-cache'),
    ZIG_LOCAL_CACHE_DIR: join(cache, 'zig-cache'),
  };
}

async function install(folder) {
  const python = process.env.PYTHON3 ?? 'python3';
  if (spawnSync(python, ['-m', 'pip', '--version']).status !== 0) {
    throw new Error(
      `zig is installed by \`${python} -m pip\`, which is not here (Debian: apt install python3-pip)`,
    );
  }
  console.log(`Installing zig and cargo-zigbuild into ${folder} (100 MB of downloads, once)`);
  mkdirSync(cache, { recursive: true });
  // Under its name when it is whole.
  const begun = `${folder}.${process.pid}`;
  const options = [
    '--quiet',
    '--disable-pip-version-check',
    '--only-binary=:all:',
    '--require-hashes',
  ];
  const args = [
    '-m',
    'pip',
    'install',
    ...options,
    '--target',
    begun,
    '--requirement',
    requirements,
  ];
  try {
    const code = await run(python, args);
    if (code !== 0) throw new Error(`pip ended with ${code}; its output above says why`);
    if (!existsSync(folder)) renameSync(begun, folder);
  } finally {
    rmSync(begun, { recursive: true, force: true });
  }
}

function hash(bytes) {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
}
