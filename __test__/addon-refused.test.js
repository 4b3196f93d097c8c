'use strict';

// What roomcast says where its addon is there, and the system's dynamic loader does not take it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { abiOf, glibcVersion, thisHost } = require('../lib/addon/host');
const { unless } = require('./support/installed');
const { compileNeeding, compileShared, needsCompiler, needsLinux } = require('./support/native');
const { addonFile, layProject, temporaryFolder } = require('./support/package');

const real = addonFile();
// It would name an addon for all of these.
delete process.env.NAPI_RS_NATIVE_LIBRARY_PATH;

const here = thisHost();
const AGAIN = 'Remove node_modules and run `npm ci`.';
const NOBODY = 65_534;

/** What comes of a file as the addon of the platform's package. */
function faultOf(t, file, host = here) {
  const project = layProject(t);
  const addon = project.addPlatform(abiOf(host), { file });
  try {
    project.load(host);
  } catch (error) {
    return { addon, ...readFault(addon, error, host) };
  }
  return assert.fail('it was loaded');
}

/** The parts of the error, each checked for what all have in common. */
function readFault(addon, { code, message, cause }, host = here) {
  assert.equal(code, 'ROOMCAST_NO_ADDON');
  const [first, cure, looked, ...more] = message.split('\n  ');
  assert.deepEqual(more, []);
  const opening = `roomcast: no addon for ${abiOf(host)} (Node ${process.versions.node}): ${addon} does not load: `;
  assert.equal(first.slice(0, opening.length), opening);
  assert.equal(looked, `Looked for: ${addon}`);
  return { why: first.slice(opening.length), cure, cause };
}

/** Changes a copy of the real addon. */
function changed(t, change) {
  const file = path.join(temporaryFolder(t), 'changed.node');
  fs.writeFileSync(file, change(fs.readFileSync(real)));
  return file;
}

describe('where the dynamic loader refuses the addon, roomcast says', () => {
  it('that it is gone from its package', t => {
    const { why, cure, cause } = faultOf(t);
    assert.equal(why, 'it is not there, though its package is.');
    assert.equal(
      cure,
      `Whatever copies or cleans node_modules has to leave its .node files. ${AGAIN}`,
    );
    assert.equal(cause.code, 'MODULE_NOT_FOUND');
  });

  it('that it is damaged', t => {
    const { why, cure, cause } = faultOf(
      t,
      changed(t, () => 'Not Found'),
    );
    assert.equal(why, 'it is damaged, or no addon.');
    assert.equal(cure, AGAIN);
    assert.equal(cause.code, 'ERR_DLOPEN_FAILED');
  });

  it('that it is made for another processor', needsLinux, t => {
    const MACHINE = 0x12;
    const other = here.arch === 'x64' ? { name: 'arm64', id: 183 } : { name: 'x64', id: 62 };
    const file = changed(t, bytes => {
      bytes.writeUInt16LE(other.id, MACHINE);
      return bytes;
    });
    const { why, cure, cause } = faultOf(t, file);
    assert.equal(why, `it is made for linux-${other.name}.`);
    assert.equal(cure, AGAIN);
    // glibc's own words would send anybody looking for a file.
    assert.match(cause.message, /No such file or directory|Exec format error/);
  });

  it('that it is made for another system', t => {
    const machO = Buffer.alloc(4096);
    machO.write('cffaedfe0c000001', 'hex');
    const pe = Buffer.alloc(4096);
    pe.write('MZ');
    pe.writeUInt32LE(0x80, 0x3c);
    pe.writeUInt16LE(0x8664, 0x84);
    for (const [name, bytes] of [
      ['darwin-arm64', machO],
      ['win32-x64', pe],
    ]) {
      if (abiOf(here).startsWith(name)) continue;
      const file = changed(t, () => bytes);
      assert.equal(faultOf(t, file).why, `it is made for ${name}.`);
    }
  });

  it('which glibc it needs, and which there is', { skip: !glibcVersion() && 'no glibc' }, t => {
    const file = changed(t, bytes => {
      const at = bytes.lastIndexOf('GLIBC_2.', bytes.lastIndexOf('GLIBC_2.17\0'));
      const end = bytes.indexOf(0, at);
      bytes.write('GLIBC_2.999999'.slice(0, end - at), at);
      return bytes;
    });
    const { why, cure, cause } = faultOf(t, file);
    assert.match(why, /^it needs glibc 2\.9+, and this system has \d+\.\d+\.$/);
    assert.ok(why.includes(glibcVersion()));
    assert.match(cure, /^It was built on a newer system than this\./);
    assert.match(cause.message, /version `GLIBC_2\.9+' not found/);
  });

  it('that it is made for the other C library', needsCompiler, t => {
    const folder = temporaryFolder(t);
    for (const [library, made, runs, libc] of [
      ['libc.musl-x86_64.so.1', 'musl', 'glibc', 'gnu'],
      // A name that glibc does not have either.
      ['ld-linux-other.so.2', 'glibc', 'musl', 'musl'],
    ]) {
      const file = compileNeeding(folder, 'other.node', library);
      const { why, cure, cause } = faultOf(t, file, { ...here, libc });
      assert.equal(why, `it is made for ${made}, and this Node runs on ${runs}.`);
      assert.equal(cure, AGAIN);
      assert.ok(cause.message.includes(library));
    }
  });

  it('which library is missing', needsCompiler, t => {
    const file = compileNeeding(temporaryFolder(t), 'needing.node', 'libfar-away.so.7');
    const { why, cure, cause } = faultOf(t, file);
    assert.equal(why, 'it needs libfar-away.so.7, which this system does not have.');
    assert.equal(cure, "Install the system's package that has this library.");
    assert.equal(cause.code, 'ERR_DLOPEN_FAILED');
  });

  it('that it may not be read', needsLinux, t => {
    const project = layProject(t);
    const addon = project.addPlatform(abiOf(here), { file: real });
    fs.chmodSync(addon, 0);
    fs.chmodSync(project.folder, 0o755);
    // Root may read everything.
    const { error } = loadElsewhere(project, process.getuid() === 0 ? { uid: NOBODY } : {});
    const { why, cure, cause } = readFault(addon, error);
    assert.equal(why, 'this user may not read it.');
    assert.match(cure, /^Install as the user that runs the bot/);
    assert.match(cause.message, /Permission denied/);
  });

  const unshares = () => spawnSync('unshare', ['--map-root-user', '--mount', 'true']).status === 0;
  const needsMounts =
    process.platform === 'linux'
      ? { skip: unless(unshares, '`unshare` with user namespaces is') }
      : needsLinux;

  it('that code may not be loaded from there', needsMounts, t => {
    const project = layProject(t);
    const addon = project.addPlatform(abiOf(here), { file: real });
    const { error } = loadElsewhere(project, { noexec: path.dirname(addon) });
    const { why, cure, cause } = readFault(addon, error);
    assert.equal(why, 'the system lets no code be loaded from where it is.');
    assert.ok(cure.includes(path.dirname(addon)), cure);
    assert.match(cure, /`noexec`/);
    assert.match(cause.message, /failed to map segment|Operation not permitted/);
  });

  it('what the loader has said, where that is all there is', needsCompiler, t => {
    const file = compileShared(temporaryFolder(t), 'plain.node');
    const { addon, why, cure, cause } = faultOf(t, file);
    assert.equal(why, `Module did not self-register: '${addon}'.`);
    assert.equal(cure, AGAIN);
    assert.equal(cause.message, `Module did not self-register: '${addon}'.`);
  });
});

/** Loads the addon of a project in another process: as another user, or with a folder mounted noexec. */
function loadElsewhere(project, { uid, noexec }) {
  const code = `
    try {
      require(${JSON.stringify(path.join(project.own, 'lib/addon/load.js'))}).loadAddon();
    } catch ({ code, message, cause }) {
      console.log(JSON.stringify({ error: { code, message, cause: { message: cause.message } } }));
    }`;
  const command = [process.execPath, '-e', code];
  if (noexec) {
    const mount = 'mount --bind "$0" "$0" && mount -o remount,bind,noexec "$0" && exec "$@"';
    command.unshift('unshare', '--map-root-user', '--mount', 'sh', '-c', mount, noexec);
  }
  const [program, ...args] = command;
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', uid, gid: uid });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout);
}
