'use strict';

// The packages that `npm run pack:all` makes, as others will see them.

const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { it } = require('node:test');
const { ABIS, abiOf, thisHost } = require('../lib/addon/host');
const { needs, pathOf } = require('./support/compat');
const { temporaryFolder } = require('./support/package');
const { packRoomcast, run } = require('./support/packed');
const { share } = require('./support/suite');
const manifest = require('../package.json');

const abi = abiOf(thisHost());

let folder;
let main;
let platform;

share(async t => {
  folder = temporaryFolder(t);
  [main, platform] = await packRoomcast(folder);
});

/** The files in a tarball, by their paths. */
async function filesIn(tarball) {
  const { stdout } = await run('tar', ['-tzf', tarball]);
  return stdout
    .split(/\r?\n/)
    .filter(Boolean)
    .map(file => file.replace('package/', ''));
}

async function manifestIn(tarball) {
  const { stdout } = await run('tar', ['-xzOf', tarball, 'package/package.json']);
  return JSON.parse(stdout);
}

it('the main package is small, and has what runs alone', async t => {
  const { size } = fs.statSync(main);
  t.diagnostic(`${size} bytes`);
  assert.ok(size < 60_000, `${size} bytes`);
  const files = await filesIn(main);
  const other = files.filter(file => !/^(lib|client)\//.test(file)).sort();
  assert.deepEqual(other, [
    ...['CHANGELOG.md', 'LICENSE', 'README.md', 'index.d.mts', 'index.d.ts', 'index.js'],
    ...['index.mjs', 'package.json'],
  ]);
  const own = fs.readdirSync(path.join(__dirname, '../lib'), {
    recursive: true,
    withFileTypes: true,
  });
  const modules = own.filter(entry => entry.isFile()).length;
  assert.equal(files.filter(file => file.startsWith('lib/')).length, modules);
});

it('the main package depends on exactly its version of every platform', async () => {
  const { optionalDependencies, dependencies, version } = await manifestIn(main);
  assert.equal(Object.keys(optionalDependencies).length, manifest.napi.targets.length);
  assert.deepEqual([...new Set(Object.values(optionalDependencies))], [version]);
  assert.equal(optionalDependencies[`@roomcast/binding-${abi}`], version);
  assert.deepEqual(dependencies, manifest.dependencies);
});

it('a platform package says what it is for, and what is compiled in', async () => {
  const { name, version, os, cpu, libc } = await manifestIn(platform);
  assert.deepEqual(
    { name, version },
    { name: `@roomcast/binding-${abi}`, version: manifest.version },
  );
  assert.deepEqual([os, cpu], [[process.platform], [process.arch]]);
  assert.deepEqual(libc, { gnu: ['glibc'], musl: ['musl'] }[thisHost().libc]);
  const files = await filesIn(platform);
  assert.deepEqual(files.sort(), [
    ...['LICENSE', 'README.md', 'THIRD-PARTY-LICENSES', 'package.json', `roomcast.${abi}.node`],
  ]);
  const { stdout } = await run('tar', ['-xzOf', platform, 'package/THIRD-PARTY-LICENSES']);
  assert.match(stdout, /^tokio \d/m);
});

it('the same sources make the same bytes', async () => {
  const again = await packRoomcast(path.join(folder, 'again'));
  const sums = files =>
    files.map(file => createHash('sha256').update(fs.readFileSync(file)).digest('hex'));
  assert.deepEqual(sums(again), sums([main, platform]));
});

it('a release is not packed without all of its platforms', async t => {
  const addons = temporaryFolder(t);
  fs.writeFileSync(path.join(addons, `roomcast.${abi}.node`), '');
  const script = path.join(__dirname, '../scripts/pack.mjs');
  const packing = run(process.execPath, [
    ...[script, '--prebuilt', '--addons', addons, '--output', addons],
  ]);
  const error = await packing.then(
    () => assert.fail('it was packed'),
    failure => failure,
  );
  assert.equal(error.code, 1);
  for (const other of ABIS) {
    assert.equal(error.stderr.includes(`roomcast.${other}.node`), other !== abi, other);
  }
  assert.equal(fs.existsSync(path.join(addons, 'dist')), false);
});

it('publint finds nothing', needs('publint'), async () => {
  for (const tarball of [main, platform]) {
    const { stdout } = await run(process.execPath, [pathOf('publint'), 'run', tarball, '--strict']);
    assert.match(stdout, /All good!/);
  }
});

// Pages alone import the client: it is a module, and no more than that.
for (const [profile, ...entries] of [
  ['strict', '.', './package.json'],
  ['esm-only', './client'],
]) {
  it(`attw finds nothing about ${entries.join(' and ')}`, needs('attw'), async () => {
    const { stdout } = await run(process.execPath, [
      ...[pathOf('attw'), main, '--no-definitely-typed', '--format', 'json'],
      ...['--profile', profile, '--entrypoints', ...entries],
    ]);
    // It ends with 1 where it finds something of which the profile does not say that it does not matter.
    const { analysis } = JSON.parse(stdout);
    assert.deepEqual(Object.keys(analysis.entrypoints).sort(), entries.sort());
  });
}
