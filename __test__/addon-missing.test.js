'use strict';

// What roomcast says where the package for its platform is not there.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { layProject } = require('./support/package');
const { version } = require('../package.json');

// It would name an addon for all of these.
delete process.env.NAPI_RS_NATIVE_LIBRARY_PATH;

const glibc = { platform: 'linux', arch: 'x64', libc: 'gnu' };
const musl = { platform: 'linux', arch: 'x64', libc: 'musl' };
const mac = { platform: 'darwin', arch: 'arm64', libc: undefined };
const windows = { platform: 'win32', arch: 'x64', libc: undefined };

const SUPPORTED =
  'linux-x64-gnu, linux-arm64-gnu, linux-x64-musl, linux-arm64-musl, darwin-x64, darwin-arm64, win32-x64-msvc';

/** The three lines of the error that loading ends in, and its cause. */
function faultOf(project, host) {
  try {
    project.load(host);
  } catch (error) {
    assert.equal(error.constructor, Error);
    assert.equal(error.code, 'ROOMCAST_NO_ADDON');
    const [why, cure, looked, ...more] = error.message.split('\n  ');
    assert.deepEqual(more, []);
    return { why, cure, looked, cause: error.cause };
  }
  return assert.fail('an addon was found');
}

const opening = abi => `roomcast: no addon for ${abi} (Node ${process.versions.node}): `;

describe('where no addon is installed, roomcast', () => {
  it('says that it is not published for the platform, and for which it is', t => {
    const project = layProject(t);
    // Something else is there, too: it does not matter.
    project.addPlatform('linux-x64-gnu');
    for (const [abi, host] of [
      ['freebsd-x64', { platform: 'freebsd', arch: 'x64', libc: undefined }],
      ['linux-arm-gnu', { platform: 'linux', arch: 'arm', libc: 'gnu' }],
      ['win32-arm64-msvc', { platform: 'win32', arch: 'arm64', libc: undefined }],
    ]) {
      const { why, cure } = faultOf(project, host);
      assert.equal(why, `${opening(abi)}roomcast is not published for this platform.`);
      assert.ok(cure.startsWith(`It is for ${SUPPORTED}. `), cure);
      assert.match(cure, /npm run build.*rustup\.rs/);
    }
  });

  it('says that optional dependencies were left out, and how to get them', t => {
    const project = layProject(t);
    for (const lock of [undefined, ['roomcast', '@roomcast/binding-darwin-arm64']]) {
      if (lock) project.lock(...lock);
      const { why, cure } = faultOf(project, mac);
      assert.equal(
        why,
        `${opening('darwin-arm64')}@roomcast/binding-darwin-arm64 is not installed.`,
      );
      for (const way of [
        '--omit=optional',
        'npm_config_omit',
        '--no-optional',
        '--ignore-optional',
        'supportedArchitectures',
        '`npm install --include=optional`',
      ]) {
        assert.ok(cure.includes(way), way);
      }
    }
  });

  it('says that the lock file lacks its platform', t => {
    const project = layProject(t);
    project.lock('roomcast', '@roomcast/binding-darwin-arm64');
    const { why, cure } = faultOf(project, windows);
    assert.equal(
      why,
      `${opening('win32-x64-msvc')}package-lock.json has roomcast without @roomcast/binding-win32-x64-msvc.`,
    );
    assert.match(cure, /npm\/cli\/issues\/4828\)\. Remove both, and run `npm install`/);

    // A lock file that is not about roomcast, or none that can be read, tells nothing.
    project.lock('express');
    assert.match(faultOf(project, windows).why, /is not installed\.$/);
    fs.writeFileSync(path.join(project.folder, 'package-lock.json'), '{');
    assert.match(faultOf(project, windows).why, /is not installed\.$/);
  });

  it('names the package of another platform that is there', t => {
    const project = layProject(t);
    project.addPlatform('darwin-arm64');
    project.addPlatform('win32-x64-msvc');
    const { why, cure } = faultOf(project, musl);
    assert.equal(
      why,
      `${opening('linux-x64-musl')}node_modules was made on another platform: ` +
        '@roomcast/binding-darwin-arm64, @roomcast/binding-win32-x64-msvc are there, ' +
        '@roomcast/binding-linux-x64-musl is not.',
    );
    assert.match(cure, /`npm ci --os=linux --cpu=x64 --libc=musl`/);

    const other = layProject(t);
    other.addPlatform('darwin-x64');
    const fault = faultOf(other, mac);
    assert.match(
      fault.why,
      /: @roomcast\/binding-darwin-x64 is there, @roomcast\/binding-darwin-arm64 is not\.$/,
    );
    assert.match(fault.cure, /`npm ci --os=darwin --cpu=arm64`/);
  });

  it('tells musl and glibc apart, both ways', t => {
    for (const [host, abi, there] of [
      [musl, 'linux-x64-musl', 'linux-x64-gnu'],
      [glibc, 'linux-x64-gnu', 'linux-x64-musl'],
    ]) {
      const project = layProject(t);
      project.addPlatform(there);
      const [runs, made] = host === musl ? ['musl', 'glibc'] : ['glibc', 'musl'];
      const { why, cure } = faultOf(project, host);
      assert.equal(
        why,
        `${opening(abi)}this Node runs on ${runs}, and node_modules was made for ${made}: ` +
          `@roomcast/binding-${there} is there, @roomcast/binding-${abi} is not.`,
      );
      assert.match(cure, /\.dockerignore, and run `npm ci` in the image/);
    }
  });

  it('says that sources have to be built', t => {
    const project = layProject(t);
    fs.writeFileSync(path.join(project.own, 'Cargo.toml'), '');
    const { why, cure } = faultOf(project, glibc);
    assert.equal(why, `${opening('linux-x64-gnu')}it is not built yet.`);
    assert.match(cure, /^Build it in \S+roomcast: `npm ci && npm run build`, which needs Rust/);
  });

  it('says where it has looked, and keeps the reason', t => {
    const project = layProject(t);
    const { looked, cause } = faultOf(project, glibc);
    const built = path.join(project.own, 'roomcast.linux-x64-gnu.node');
    assert.equal(looked, `Looked for: ${built}, @roomcast/binding-linux-x64-gnu`);
    assert.equal(cause.code, 'MODULE_NOT_FOUND');
    assert.match(cause.message, /@roomcast\/binding-linux-x64-gnu\/package\.json/);
  });
});

it('a platform package of another version is refused', t => {
  const project = layProject(t);
  const addon = project.addPlatform('darwin-arm64', { version: '0.0.1' });
  const { why, cure, looked, cause } = faultOf(project, mac);
  assert.equal(
    why,
    `${opening('darwin-arm64')}@roomcast/binding-darwin-arm64 is version 0.0.1, and roomcast is ${version}.`,
  );
  assert.match(cure, /Remove node_modules and install again/);
  assert.ok(looked.endsWith(path.dirname(addon)), looked);
  assert.equal(cause, undefined);
});

for (const [form, args] of Object.entries({
  require: ['-e', "require('roomcast')"],
  import: ['--input-type=module', '-e', "import 'roomcast'"],
})) {
  it(`a bot that has nothing by ${form} ends with that error`, t => {
    const project = layProject(t);
    for (const name of ['cookie', 'cookie-signature']) {
      const from = path.dirname(require.resolve(`${name}/package.json`));
      fs.cpSync(from, path.join(project.folder, 'node_modules', name), { recursive: true });
    }
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: project.folder,
      encoding: 'utf8',
    });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^Error: roomcast: no addon for \S+ \(Node \S+\): @roomcast\/binding-\S+ is not installed\.$/m,
    );
    assert.match(stderr, /code: 'ROOMCAST_NO_ADDON'/);
    assert.match(stderr, /\[cause\]: Error: Cannot find module '@roomcast\/binding-/);
  });
}
