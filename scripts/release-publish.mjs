// Publishes the packages in dist/, the main one last. What is there already, with the same content, is
// left as it is: a run that broke off is finished by the next one.
//
//   node scripts/release-publish.mjs                    as the release workflow does
//   node scripts/release-publish.mjs --no-provenance    from a machine of one's own
//
//   --from FOLDER     other packages than those in dist/
//   --registry URL    to another registry than npm is set up for
//   --incomplete      also where not every platform has a package: for trials at a registry of one's own
//   --dry-run         says what would be done
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { missingOf, tarballsOf } from './release-tarballs.mjs';
import { npm, npmSays, root } from './run.mjs';

/** The first npm that trusted publishing works with. */
const OLDEST_NPM = [11, 5, 1];
/** What a registry may take until it shows everybody what it was given. */
const SHOWN_WITHIN_MS = 600_000;
const ASK_EVERY_MS = 2_000;

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: join(root, 'dist') },
    registry: { type: 'string' },
    provenance: { type: 'boolean', default: true },
    incomplete: { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
  },
  allowNegative: true,
});
const registry = (values.registry ?? npmSays('config', 'get', 'registry')).replace(/\/?$/, '/');

try {
  await publish();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

async function publish() {
  if (values.provenance) checkNpm();
  const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const tarballs = tarballsOf(values.from, name);
  const missing = missingOf(tarballs);
  if (missing.length > 0 && !values.incomplete) {
    throw new Error(`${values.from} lacks ${missing.join(', ')}`);
  }

  const states = new Map();
  for (const tarball of tarballs) states.set(tarball, await stateOf(tarball));
  const others = tarballs.filter(tarball => states.get(tarball) === 'other');
  if (others.length > 0) {
    const list = others.map(({ name, version }) => `${name}@${version}`).join(', ');
    throw new Error(
      `Published already, with another content: ${list}. Nothing has been published.`,
    );
  }

  const main = tarballs.at(-1);
  for (const tarball of tarballs) {
    const what = `${tarball.name}@${tarball.version}`;
    if (states.get(tarball) === 'same') {
      console.log(`${what} is there already.`);
      continue;
    }
    if (values['dry-run']) {
      console.log(`${what} would be published.`);
      continue;
    }
    if (tarball === main) await allShown(tarballs.slice(0, -1));
    await publishOne(tarball);
  }
}

function checkNpm() {
  const version = npmSays('--version');
  const parts = version.split('.').map(Number);
  const index = parts.findIndex((part, at) => part !== OLDEST_NPM[at]);
  if (index >= 0 && parts[index] < OLDEST_NPM[index]) {
    throw new Error(
      `Trusted publishing needs npm ${OLDEST_NPM.join('.')} or newer, this is ${version}`,
    );
  }
}

/** What the registry has of a package's version: 'none', the 'same', or an 'other' content. */
async function stateOf({ name, version, integrity }) {
  const url = new URL(name.replace('/', '%2f'), registry);
  const response = await fetch(url, { headers: { 'Cache-Control': 'no-cache' } });
  if (response.status === 404) return 'none';
  if (!response.ok) throw new Error(`The registry answers ${response.status} for ${name}`);
  const published = (await response.json()).versions?.[version];
  if (published === undefined) return 'none';
  return published.dist.integrity === integrity ? 'same' : 'other';
}

/** Resolves once whoever installs the main package gets these along with it. */
async function allShown(tarballs) {
  const deadline = Date.now() + SHOWN_WITHIN_MS;
  for (const tarball of tarballs) {
    while ((await stateOf(tarball)) !== 'same') {
      if (Date.now() > deadline) {
        throw new Error(`The registry does not show ${tarball.name} yet: run this again later`);
      }
      await pause(ASK_EVERY_MS);
    }
  }
}

async function publishOne({ file, name, version }) {
  const code = await npm(
    'publish',
    file,
    '--access=public',
    `--tag=${version.includes('-') ? 'next' : 'latest'}`,
    `--provenance=${values.provenance}`,
    `--registry=${registry}`,
  );
  if (code !== 0) throw new Error(`${name}@${version} could not be published; the output says why`);
}
