import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';

/**
 * Packs folders by `npm pack`. The same files give the same bytes.
 *
 * @param {string[]} folders
 * @param {string} destination emptied of tarballs before
 * @returns {{ name: string, file: string, size: number, unpackedSize: number }[]} sizes in bytes
 */
export function pack(folders, destination) {
  mkdirSync(destination, { recursive: true });
  for (const name of readdirSync(destination)) {
    if (name.endsWith('.tgz')) rmSync(join(destination, name));
  }
  const packed = npm(
    'pack',
    '--json',
    '--ignore-scripts',
    '--pack-destination',
    destination,
    ...folders,
  );
  return Object.values(JSON.parse(packed)).map(({ name, filename, size, unpackedSize }) => ({
    name,
    // Older npms give the name with its scope.
    file: join(destination, filename.replace('@', '').replace('/', '-')),
    size,
    unpackedSize,
  }));
}

/** What npm writes to its standard output. */
function npm(...args) {
  const cli = process.env.npm_execpath;
  const byNode = cli && basename(cli) === 'npm-cli.js';
  const { status, stdout, error } = spawnSync(
    byNode ? process.execPath : 'npm',
    byNode ? [cli, ...args] : args,
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: !byNode && process.platform === 'win32',
    },
  );
  if (error) throw error;
  if (status !== 0) throw new Error(`npm ${args[0]} failed; the output above says why`);
  return stdout;
}
