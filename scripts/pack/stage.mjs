// The folders that the tarballs are made of.
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NapiCli } from '@napi-rs/cli';
import { targets } from '../addons/targets.mjs';
import { licencesOf } from '../licenses.mjs';
import { root } from '../run.mjs';
import { mainManifest, platformReadme } from './manifests.mjs';

const LICENCES = 'THIRD-PARTY-LICENSES';

const read = file => JSON.parse(readFileSync(file, 'utf8'));
const write = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);

const manifest = read(join(root, 'package.json'));

/**
 * Lays out the packages anew, each in a folder of its own: `roomcast`, and the platforms'.
 *
 * @param {string} folder
 * @param {{ target: typeof targets[number], file: string }[]} addons
 * @returns {Promise<string[]>} the packages' folders, the main one first
 */
export async function stage(folder, addons) {
  rmSync(folder, { recursive: true, force: true });
  const main = join(folder, manifest.name);
  mkdirSync(main, { recursive: true });
  for (const file of [...manifest.files, 'README.md', 'LICENSE']) {
    cpSync(join(root, file), join(main, file), { recursive: true });
  }
  write(join(main, 'package.json'), mainManifest(manifest, targets));

  // napi keeps to the folder of the package.json that it is given. Its `artifacts` is not used: it
  // would put the addons into that folder, too, over the one that development uses.
  const chosen = { ...manifest.napi, targets: addons.map(({ target }) => target.triple) };
  const config = join(folder, 'package.json');
  write(config, { ...manifest, napi: chosen });
  await new NapiCli().createNpmDirs({ cwd: folder, npmDir: '.' });
  rmSync(config);
  return [main, ...addons.map(addon => completePlatform(folder, addon))];
}

/** Puts into a platform's package what napi leaves out. */
function completePlatform(folder, { target, file }) {
  const place = join(folder, target.platformArchABI);
  const own = read(join(place, 'package.json'));
  const files = [...own.files, LICENCES];
  write(join(place, 'package.json'), { ...own, type: 'commonjs', files });
  copyFileSync(file, join(place, target.file));
  copyFileSync(join(root, 'LICENSE'), join(place, 'LICENSE'));
  writeFileSync(join(place, 'README.md'), platformReadme(target));
  writeFileSync(join(place, LICENCES), licencesOf(target.triple));
  return place;
}
