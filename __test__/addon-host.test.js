'use strict';

// Which addon roomcast looks for.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { ABIS, abiOf, glibcVersion, libcOf, thisHost } = require('../lib/addon/host');
const { compile, compileShared, needsCompiler } = require('./support/native');
const { temporaryFolder } = require('./support/package');
const { napi } = require('../package.json');

const PT_INTERP = 3;

/** Where a segment of that type is told in a 64-bit ELF program. */
function segmentOf(bytes, type) {
  let at = Number(bytes.readBigUInt64LE(0x20));
  while (bytes.readUInt32LE(at) !== type) at += bytes.readUInt16LE(0x36);
  return at;
}

it('addons are looked for under the names that they are built by', async () => {
  const { parseTriple } = await import('@napi-rs/cli');
  assert.deepEqual(
    ABIS,
    napi.targets.map(triple => parseTriple(triple).platformArchABI),
  );
  const names = [
    { platform: 'linux', arch: 'x64', libc: 'gnu' },
    { platform: 'linux', arch: 'arm64', libc: 'gnu' },
    { platform: 'linux', arch: 'x64', libc: 'musl' },
    { platform: 'linux', arch: 'arm64', libc: 'musl' },
    { platform: 'darwin', arch: 'x64' },
    { platform: 'darwin', arch: 'arm64' },
    { platform: 'win32', arch: 'x64' },
  ].map(abiOf);
  assert.deepEqual(names, ABIS);
});

it('this process is known', () => {
  const { platform, arch, libc } = thisHost();
  assert.deepEqual({ platform, arch }, { platform: process.platform, arch: process.arch });
  const expected = glibcVersion() ? 'gnu' : 'musl';
  assert.equal(libc, platform === 'linux' ? expected : undefined);
});

describe('the C library of a program', () => {
  const build = (t, ...options) =>
    compile(temporaryFolder(t), 'program', 'int main(void) { return 0; }', ...options);

  for (const [loader, libc] of [
    ['/lib64/ld-linux-x86-64.so.2', 'gnu'],
    ['/lib/ld-linux-aarch64.so.1', 'gnu'],
    ['/nix/store/0123456789abcdef-glibc-2.40/lib/ld-linux-x86-64.so.2', 'gnu'],
    ['/lib/ld-musl-x86_64.so.1', 'musl'],
    ['/lib/ld-musl-aarch64.so.1', 'musl'],
  ]) {
    it(`is ${libc} with the loader ${loader}`, needsCompiler, t => {
      assert.equal(libcOf(build(t, `-Wl,--dynamic-linker=${loader}`)), libc);
    });
  }

  it('is found wherever the program names its loader', needsCompiler, t => {
    const file = build(t, '-Wl,--dynamic-linker=/lib64/ld-linux-x86-64.so.2');
    const bytes = fs.readFileSync(file);
    const loader = Buffer.from('/lib/ld-musl-x86_64.so.1\0');
    // As patchelf does it, for instance in the wheels of PyPI that hold a Node.
    const segment = segmentOf(bytes, PT_INTERP);
    bytes.writeBigUInt64LE(BigInt(bytes.length), segment + 0x08);
    bytes.writeBigUInt64LE(BigInt(loader.length), segment + 0x20);
    fs.writeFileSync(file, Buffer.concat([bytes, loader]));
    assert.equal(libcOf(file), 'musl');
  });

  it('is what Node itself says where the program names no loader', needsCompiler, t => {
    const folder = temporaryFolder(t);
    const text = path.join(folder, 'text');
    fs.writeFileSync(text, '#!/bin/sh\n');
    for (const file of [compileShared(folder, 'no.node'), text, path.join(folder, 'nothing')]) {
      assert.equal(libcOf(file), glibcVersion() ? 'gnu' : 'musl');
    }
  });
});
