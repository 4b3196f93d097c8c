'use strict';

// What is published, in which order, and what a run does that comes after one that broke off. The
// packages are small ones of the same names.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const { startRegistry, needsRegistry } = require('./support/registry');
const { share } = require('./support/suite');

const PLATFORMS = ['@roomcast/binding-linux-x64-gnu', '@roomcast/binding-win32-x64-msvc'];
const ALL = [...PLATFORMS, 'roomcast'];

const fileOf = name => `${name.replace('/', '-')}.tgz`;

/**
 * Packs the three packages into a folder.
 *
 * @param {string} version of all
 * @param {{ names?: string[], content?: string, wanted?: string }} [given] which ones, what is in
 *   them, and at which version the main one wants the others
 */
function packed(t, version, { names = ALL, content = '', wanted = version } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-publish-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  for (const [index, name] of names.entries()) {
    const place = path.join(folder, String(index), 'package');
    fs.mkdirSync(place, { recursive: true });
    const manifest = {
      name,
      version,
      ...(name === 'roomcast' && {
        optionalDependencies: Object.fromEntries(PLATFORMS.map(one => [one, wanted])),
      }),
    };
    fs.writeFileSync(path.join(place, 'package.json'), JSON.stringify(manifest));
    fs.writeFileSync(path.join(place, 'index.js'), content);
    const file = path.join(folder, fileOf(name));
    execFileSync('tar', ['-czf', file, '-C', path.dirname(place), 'package']);
  }
  return folder;
}

describe('release-publish', needsRegistry, () => {
  /** @type {Awaited<ReturnType<typeof startRegistry>>} */
  let registry;
  share(async suite => {
    if (!needsRegistry.skip) registry = await startRegistry(suite);
  });
  const publish = (folder, ...options) =>
    registry.run('release-publish.mjs', `--from=${folder}`, '--no-provenance', ...options);
  const published = async (name, version) =>
    (await registry.lookUp(name))?.versions[version] !== undefined;
  /** When each of the three was published, in the order of `ALL`. */
  const times = version =>
    Promise.all(ALL.map(async name => (await registry.lookUp(name)).time[version]));

  it('publishes the platforms before the main package, and nothing twice', async t => {
    const folder = packed(t, '1.0.0');
    const { status, stdout, stderr } = await publish(folder);
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      stdout.match(/^\+ .*$/gm),
      ALL.map(name => `+ ${name}@1.0.0`),
    );
    const [linux, windows, main] = await times('1.0.0');
    assert.ok(main >= linux && main >= windows);
    assert.equal((await registry.lookUp('roomcast'))['dist-tags'].latest, '1.0.0');

    const again = await publish(folder);
    assert.equal(again.status, 0, again.stderr);
    assert.equal(again.stdout, ALL.map(name => `${name}@1.0.0 is there already.\n`).join(''));
    assert.deepEqual(await times('1.0.0'), [linux, windows, main]);
  });

  it('goes on where a run broke off', async t => {
    const folder = packed(t, '3.0.0');
    const first = path.join(folder, fileOf(PLATFORMS[0]));
    assert.equal((await registry.publish(first)).status, 0);
    const { status, stdout, stderr } = await publish(folder);
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.match(/^(\+ .*|.* is there already\.)$/gm), [
      '@roomcast/binding-linux-x64-gnu@3.0.0 is there already.',
      '+ @roomcast/binding-win32-x64-msvc@3.0.0',
      '+ roomcast@3.0.0',
    ]);
  });

  it('publishes nothing where a version is there with another content', async t => {
    const other = packed(t, '4.0.0', { content: '// Of another commit.' });
    const last = path.join(other, fileOf(PLATFORMS[1]));
    assert.equal((await registry.publish(last)).status, 0);
    const { status, stderr } = await publish(packed(t, '4.0.0'));
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^Published already, with another content: @roomcast\/binding-win32-x64-msvc@4\.0\.0\./,
    );
    assert.equal(await published('@roomcast/binding-linux-x64-gnu', '4.0.0'), false);
  });

  it('keeps a pre-release from those who do not ask for it', async t => {
    const only = packed(t, '5.0.0-rc.1', { names: ['roomcast'] });
    assert.equal((await publish(only, '--incomplete')).status, 0);
    const { 'dist-tags': tags } = await registry.lookUp('roomcast');
    assert.equal(tags.next, '5.0.0-rc.1');
    assert.notEqual(tags.latest, '5.0.0-rc.1');
  });

  it('wants a package for every platform, unless told otherwise', async t => {
    const folder = packed(t, '6.0.0', { names: [PLATFORMS[0], 'roomcast'] });
    const { status, stderr } = await publish(folder);
    assert.equal(status, 1);
    assert.match(stderr, / lacks @roomcast\/binding-win32-x64-msvc$/m);
    assert.equal(await published(PLATFORMS[0], '6.0.0'), false);
    assert.equal((await publish(folder, '--incomplete')).status, 0);
    assert.equal(await published('roomcast', '6.0.0'), true);
  });

  it('takes no packages of different versions', async t => {
    const { status, stderr } = await publish(packed(t, '7.0.0', { wanted: '7.0.1' }));
    assert.equal(status, 1);
    assert.match(stderr, /^roomcast does not name @roomcast\/binding-linux-x64-gnu at 7\.0\.0$/m);
  });

  it('only says what it would do in a dry run', async t => {
    const { status, stdout } = await publish(packed(t, '8.0.0'), '--dry-run');
    assert.equal(status, 0);
    assert.equal(stdout.match(/ would be published\.$/gm).length, 3);
    assert.equal(await published('@roomcast/binding-linux-x64-gnu', '8.0.0'), false);
  });

  it('publishes nothing where the provenance cannot be had', async t => {
    const { status, stderr } = await registry.run(
      'release-publish.mjs',
      `--from=${packed(t, '9.0.0')}`,
    );
    assert.equal(status, 1);
    assert.match(stderr, /^(@roomcast\/\S+ could not be published|Trusted publishing needs npm)/m);
    assert.equal(await published('roomcast', '9.0.0'), false);
  });
});
