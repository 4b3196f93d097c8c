// `npm run pack:all`: what is published, as tarballs in dist/, made of folders in npm/.
//
//   npm run pack:all                        with the addons in prebuilds/; first builds this machine's
//   npm run pack:all -- --prebuilt          builds nothing, and wants those of all platforms
//   npm run pack:all -- --addons FOLDER     builds nothing, and takes those of another folder
//   … --output FOLDER                       npm/ and dist/ are made there
//
// No tracked file is changed. Needs cargo, to list the licences of what is compiled in.
import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { targets } from './addons/targets.mjs';
import { stage } from './pack/stage.mjs';
import { pack } from './pack/tarballs.mjs';
import { endWithNpm, root, run } from './run.mjs';

endWithNpm();
try {
  const { values } = parseArgs({
    options: {
      addons: { type: 'string' },
      output: { type: 'string', default: root },
      prebuilt: { type: 'boolean' },
    },
  });
  if (!values.prebuilt && !values.addons) await build();
  const addons = addonsIn(resolve(values.addons ?? join(root, 'prebuilds')), values.prebuilt);
  const folders = await stage(resolve(values.output, 'npm'), addons);
  for (const { file, size, unpackedSize } of pack(folders, resolve(values.output, 'dist'))) {
    console.log(`${file}  ${kB(size)}, unpacked ${kB(unpackedSize)}`);
  }
} catch (error) {
  console.error(`${basename(process.argv[1])}: ${error.message}`);
  process.exitCode = 1;
}

async function build() {
  const code = await run(process.execPath, ['scripts/prebuilds.mjs']);
  if (code !== 0) throw new Error('the addon of this machine could not be built');
}

/** The addons in a folder, each with what it is for. */
function addonsIn(folder, all) {
  const addons = targets.map(target => ({ target, file: join(folder, target.file) }));
  const missing = addons.filter(({ file }) => !existsSync(file));
  if (all && missing.length > 0) {
    const names = missing.map(({ target }) => target.file);
    throw new Error(`${folder} lacks ${names.join(', ')}`);
  }
  return addons.filter(addon => !missing.includes(addon));
}

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
