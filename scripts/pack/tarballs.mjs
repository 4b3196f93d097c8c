import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npmSays } from '../run.mjs';

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
  const packed = npmSays(
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
