'use strict';

// What has to hold before a version is tagged, and what its page says.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');

const root = path.join(__dirname, '..');

const CHANGELOG = `# Changelog

## [Unreleased]

## [1.2.3] - 2030-02-28

### Fixed

- A thing.

## [1.2.2] - 2030-01-31

### Added

- Another.
`;

/** A project that may be released as v1.2.3, but for the files given. */
function project(t, files = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-release-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  const all = {
    'package.json': JSON.stringify({
      version: '1.2.3',
      repository: { type: 'git', url: 'git+https://github.com/Ada/roomcast.git' },
    }),
    'package-lock.json': JSON.stringify({
      version: '1.2.3',
      packages: { '': { version: '1.2.3' } },
    }),
    'Cargo.toml':
      '[package]\nname = "roomcast"\nversion = "1.2.3"\n\n[dependencies]\nbytes = "1"\n',
    'Cargo.lock': '[[package]]\nname = "roomcast"\nversion = "1.2.3"\n',
    'CHANGELOG.md': CHANGELOG,
    ...files,
  };
  for (const [name, text] of Object.entries(all)) fs.writeFileSync(path.join(folder, name), text);
  return folder;
}

const release = { tag: 'v1.2.3', repository: 'ada/roomcast', today: '2030-02-28' };
const check = async (folder, given = release) =>
  (await import('../scripts/release-check.mjs')).problems(folder, given);

describe('release-check', () => {
  it('lets a release through', async t => {
    assert.deepEqual(await check(project(t)), []);
  });

  it('finds the versions of this project to agree, and its changelog in form', async () => {
    assert.deepEqual(await check(root, {}), []);
  });

  const changelog = (from, to) => ({ 'CHANGELOG.md': CHANGELOG.replace(from, to) });
  const entry = '### Added\n\n- New.\n';
  for (const [what, files, expected] of [
    [
      'another version of the crate',
      { 'Cargo.toml': '[package]\nversion = "1.2.2"\n' },
      /^Cargo\.toml has version 1\.2\.2/,
    ],
    [
      'no version of the crate',
      { 'Cargo.toml': '[dependencies]\nx = "1"\n' },
      /^Cargo\.toml has version undefined/,
    ],
    [
      'another version in Cargo.lock',
      { 'Cargo.lock': 'name = "roomcast"\nversion = "1.2.4"\n' },
      /^Cargo\.lock has version 1\.2\.4/,
    ],
    [
      'another version in the lock',
      {
        'package-lock.json': JSON.stringify({
          version: '1.2.3',
          packages: { '': { version: '1' } },
        }),
      },
      /^package-lock\.json, packages has version 1,/,
    ],
    ['no section', changelog('[1.2.3]', '[1.2.1]'), /^CHANGELOG\.md has no section \[1\.2\.3\]$/],
    ['no date', changelog(' - 2030-02-28', ''), /^CHANGELOG\.md:5: \[1\.2\.3\] has no date/],
    [
      'a day that there is not',
      changelog('02-28', '02-30'),
      /^CHANGELOG\.md:5: \[1\.2\.3\] has no date/,
    ],
    ['a date to come', changelog('02-28', '03-01'), /^CHANGELOG\.md:5: .* which has not come yet$/],
    [
      'dates in the wrong order',
      changelog('02-28', '01-01'),
      /^CHANGELOG\.md:11: \[1\.2\.2\] is newer/,
    ],
    [
      'a section that says nothing',
      changelog('- A thing.', ''),
      /^CHANGELOG\.md:5: \[1\.2\.3\] says nothing$/,
    ],
    [
      'entries left over',
      changelog('## [1.2.3]', `${entry}\n## [1.2.3]`),
      /^CHANGELOG\.md:3: \[Unreleased\] has entries/,
    ],
    [
      'no place for what comes next',
      changelog('## [Unreleased]\n\n', ''),
      /does not begin with \[Unreleased\]$/,
    ],
    [
      'a heading of another form',
      changelog('## [1.2.3] - ', '## 1.2.3, '),
      /^CHANGELOG\.md:5: `## 1\.2\.3, 2030-02-28`/,
    ],
    [
      'a kind of its own',
      changelog('### Fixed', '### Mended'),
      /^CHANGELOG\.md:5: .*heading 'Mended'$/,
    ],
    [
      'a version twice',
      changelog('[1.2.2]', '[1.2.3]'),
      /^CHANGELOG\.md:11: \[1\.2\.3\] is there twice$/,
    ],
  ]) {
    it(`refuses ${what}`, async t => {
      const found = await check(project(t, files));
      assert.ok(
        found.some(one => expected.test(one)),
        JSON.stringify(found),
      );
    });
  }

  for (const [what, given, expected] of [
    ['another tag', { tag: 'v1.2.4' }, /^the tag v1\.2\.4 is not v1\.2\.3/],
    ['a tag without its v', { tag: '1.2.3' }, /^the tag 1\.2\.3 is not v1\.2\.3/],
    ['another repository', { repository: 'eve/roomcast' }, /^package\.json: `repository`/],
  ]) {
    it(`refuses ${what}`, async t => {
      const found = await check(project(t), { ...release, ...given });
      assert.equal(found.length, 1);
      assert.match(found[0], expected);
    });
  }

  it('lets entries wait where nothing is released', async t => {
    const files = changelog('## [1.2.3]', `${entry}\n## [1.2.3]`);
    assert.deepEqual(await check(project(t, files), { today: release.today }), []);
  });

  for (const repository of [
    'https://github.com/Ada/Roomcast',
    'github:ada/roomcast',
    'Ada/roomcast',
  ]) {
    it(`knows ${repository} for the repository that it is`, async t => {
      const manifest = JSON.stringify({ version: '1.2.3', repository });
      assert.deepEqual(await check(project(t, { 'package.json': manifest })), []);
    });
  }

  it('ends with 1 and a line for each reason', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ['scripts/release-check.mjs', 'v999.0.0'],
      { cwd: root, encoding: 'utf8' },
    );
    assert.equal(status, 1);
    assert.match(stderr, /^the tag v999\.0\.0 is not v/m);
  });
});

describe('release-notes', () => {
  const notes = (...args) =>
    spawnSync(process.execPath, ['scripts/release-notes.mjs', ...args], {
      cwd: root,
      encoding: 'utf8',
    });

  it('prints the section of a version, without its heading', async () => {
    const { sectionOf } = await import('../scripts/release-changelog.mjs');
    assert.equal(sectionOf(CHANGELOG, '1.2.3').body, '### Fixed\n\n- A thing.');
    assert.equal(sectionOf(CHANGELOG, '1.2.2').body, '### Added\n\n- Another.');
    assert.equal(sectionOf(CHANGELOG.replaceAll('\n', '\r\n'), '1.2.2').date, '2030-01-31');
  });

  it('says what is there where the version is not', () => {
    const { status, stdout, stderr } = notes('v999.0.0');
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^CHANGELOG\.md has no section 999\.0\.0; it has Unreleased/);
  });

  it('refuses a section that says nothing', async () => {
    const { sectionOf } = await import('../scripts/release-changelog.mjs');
    assert.throws(
      () => sectionOf(CHANGELOG, 'Unreleased'),
      /^Error: CHANGELOG\.md:3: .*says nothing$/,
    );
  });

  it('wants one version', () => {
    assert.equal(notes().status, 2);
    assert.equal(notes('1.0.0', '2.0.0').status, 2);
  });
});

it('release-suite tests nothing where the addon that it is given does not load', t => {
  const folder = project(t, { 'roomcast.node': 'not an addon' });
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['scripts/release-suite.mjs', path.join(folder, 'roomcast.node')],
    { cwd: root, encoding: 'utf8' },
  );
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /roomcast: no addon for .*roomcast\.node/);
});
