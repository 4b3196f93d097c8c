'use strict';

// `npm run licenses` has all that is compiled in, and none of it is under a licence that deny.toml does
// not allow.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { before, describe, it } = require('node:test');
const { unless, versionOf } = require('./support/installed');
const { author, license, napi } = require('../package.json');

const root = path.join(__dirname, '..');
const script = path.join(root, 'scripts/licenses.mjs');
const read = file => fs.readFileSync(path.join(root, file), 'utf8');
const needsCargo = { skip: unless(() => versionOf('cargo') !== undefined, 'cargo is') };

const allowed = JSON.parse(/^allow = (\[.*\])$/m.exec(read('deny.toml'))[1]);

/** Whether an expression can be satisfied by licences that are allowed. */
function isAllowed(expression) {
  assert.doesNotMatch(expression, /[()]/, `${expression}: read parentheses, too`);
  return expression
    .split(' OR ')
    .some(choice => choice.split(' AND ').every(licence => allowed.includes(licence)));
}

/** `folder/name-version/` of the sources, which panics name in the addon of this machine. */
function namedInAddon(folder) {
  const own = fs.readdirSync(root).filter(name => /^roomcast\..+\.node$/.test(name));
  const file = process.env.NAPI_RS_NATIVE_LIBRARY_PATH ?? path.join(root, own[0]);
  const text = fs.readFileSync(file, 'latin1');
  const pattern = new RegExp(`${folder}[/\\\\]([\\w-]+)-(\\d+\\.\\d+\\.\\d+)[^/\\\\]*[/\\\\]`, 'g');
  return new Set([...text.matchAll(pattern)].map(([, name, version]) => `${name} ${version}`));
}

describe('the licences of the addon', needsCargo, () => {
  let cratesOf;
  let licencesOf;
  let host;

  before(async () => {
    ({ cratesOf, licencesOf } = await import('../scripts/licenses.mjs'));
    ({ hostTarget: host } = await import('../scripts/rust-flags.mjs'));
  });

  it('are of every crate that the addon names', () => {
    const listed = cratesOf(host()).map(({ name, version }) => `${name} ${version}`);
    const named = [...namedInAddon('index\\.crates\\.io-\\w+')];
    assert.deepEqual(
      named.filter(crate => !listed.includes(crate)),
      [],
    );
  });

  it('are of every direct dependency, and of nothing that only builds or tests', () => {
    const [{ dependencies }] = JSON.parse(
      execFileSync('cargo', ['metadata', '--no-deps', '--format-version', '1', '--locked'], {
        cwd: root,
        encoding: 'utf8',
      }),
    ).packages;
    const listed = cratesOf('x86_64-unknown-linux-gnu').map(({ name }) => name);
    const named = kind => dependencies.filter(one => one.kind === kind).map(({ name }) => name);
    const direct = named(null);
    assert.ok(direct.includes('napi-derive'), 'a procedural macro');
    for (const name of direct) assert.equal(listed.includes(name), name !== 'napi-derive', name);
    for (const name of [...named('build'), ...named('dev')]) {
      assert.equal(listed.includes(name), direct.includes(name), name);
    }
  });

  for (const target of napi.targets) {
    it(`are allowed: ${target}`, () => {
      const crates = cratesOf(target);
      assert.ok(crates.length > 50);
      for (const { name, licence } of crates) assert.ok(isAllowed(licence), `${name}: ${licence}`);
    });
  }

  it('are in the list, each with its texts', () => {
    const text = licencesOf(host());
    for (const { name, version, licence, texts } of cratesOf(host())) {
      assert.match(
        text,
        new RegExp(`^${name} ${version.replaceAll('.', '\\.')} .*${licence}`, 'm'),
      );
      for (const { file } of texts) {
        assert.ok(text.includes(`\n${name} ${version}: ${file}\n`), `${name}: ${file}`);
      }
    }
  });

  it('have the notices of what a crate has from others', () => {
    const ring = cratesOf(host()).find(({ name }) => name === 'ring');
    assert.deepEqual(
      ring.texts.map(({ file }) => file),
      [
        'LICENSE',
        'LICENSE-BoringSSL',
        'LICENSE-other-bits',
        'src/polyfill/once_cell/LICENSE-APACHE',
        'src/polyfill/once_cell/LICENSE-MIT',
        'third_party/fiat/LICENSE',
      ],
    );
  });

  it("are of what Rust's standard library is made of, too", () => {
    const text = licencesOf(host());
    for (const crate of namedInAddon('rust[/\\\\]deps')) {
      const [name] = crate.split(' ');
      assert.match(text, new RegExp(`^${name.replaceAll('-', '_')} +\\S`, 'm'));
    }
    assert.match(text, /Apache License\s+Version 2\.0, January 2004/);
    assert.match(text, /UNICODE LICENSE V3/);
  });

  it('go into a file, and a platform that there is not is an error', t => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-licences-'));
    t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
    const file = path.join(folder, 'THIRD-PARTY-LICENSES');
    const list = (...options) =>
      spawnSync(process.execPath, [script, ...options], { encoding: 'utf8' });
    assert.equal(list('--target', napi.targets[0], '--output', file).status, 0);
    assert.equal(fs.readFileSync(file, 'utf8'), licencesOf(napi.targets[0]));

    const wrong = list('--target', 'vax-dec-vms');
    assert.equal(wrong.status, 1);
    assert.equal(wrong.stdout, '');
    assert.match(wrong.stderr, /^licenses\.mjs: cargo tree: .*vax-dec-vms/s);
  });
});

it('roomcast itself is under the MIT licence, of those whom package.json names', () => {
  const text = read('LICENSE');
  assert.equal(license, 'MIT');
  assert.match(text, /^MIT License\n\nCopyright \(c\) 2026 (.*)\n\nPermission is hereby granted/);
  assert.equal(/^Copyright \(c\) \d+ (.*)$/m.exec(text)[1], author);
});
