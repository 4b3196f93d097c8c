'use strict';

// scripts/check-addons.mjs, given this machine's addon with one thing wrong in it.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { before, test } = require('node:test');
const { unless, versionOf } = require('./support/installed.js');

const root = path.dirname(__dirname);
const built = fs.readdirSync(root).find(name => /^roomcast\..+\.node$/.test(name));
const skip = process.platform !== 'linux' && 'patches an addon for Linux';

let folder;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-'));
});
test.after(() => fs.rmSync(folder, { recursive: true }));

/** What is said of an addon of this name, a line for each fault. */
function faultsOf(bytes, name = built) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, bytes);
  const script = path.join(root, 'scripts/check-addons.mjs');
  const { status, stderr } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' });
  const faults = stderr.split('\n').filter(line => line !== '');
  assert.equal(status, faults.length > 0 ? 1 : 0);
  return faults.map(line => line.replace(`${file}: `, ''));
}

/** Where the first section header of this addon stands. */
const sections = bytes => Number(bytes.readBigUInt64LE(40));
const machine = 18;
const otherMachine = { x64: 183, arm64: 62 };

for (const { what, change, name = built, says } of [
  {
    what: 'a newer glibc',
    change: bytes => {
      const at = bytes.lastIndexOf('GLIBC_2.14\0') + 1 || bytes.lastIndexOf('GLIBC_2.17\0') + 1;
      bytes.write('GLIBC_2.95', at - 1, 'latin1');
    },
    says: /^it needs .*GLIBC_2\.95.* newer than 2\.17$/,
  },
  {
    what: 'another architecture than its name',
    change: bytes => bytes.writeUInt16LE(otherMachine[process.arch], machine),
    says: /^it is for (arm64, not for x64|x64, not for arm64)$/,
  },
  {
    what: 'glibc where musl is',
    name: `roomcast.linux-${process.arch}-musl.node`,
    says: /^it needs .*libc\.so\.6.*, not a library of musl$/,
  },
  {
    what: 'another system than its name',
    name: 'roomcast.darwin-arm64.node',
    says: /^it is ELF, not Mach-O$/,
  },
  {
    what: 'symbols for debuggers',
    change: bytes => bytes.writeUInt32LE(2, sections(bytes) + 4),
    says: /^it is not stripped$/,
  },
  {
    what: 'a folder of this machine',
    change: bytes => Buffer.concat([bytes, Buffer.from(`${root}/src/lib.rs`)]),
    says: /^it names .+, a folder of this machine$/,
  },
  {
    what: 'too many bytes',
    change: bytes => Buffer.concat([bytes, Buffer.alloc(4_000_000)]),
    says: /^it has 4000000 bytes or more$/,
  },
  {
    what: 'a part of it alone',
    change: bytes => bytes.subarray(0, 4_096),
    says: /\S/,
  },
  {
    what: 'a name of no platform',
    name: 'roomcast.linux-mips-gnu.node',
    says: /^no addon has this name; there are roomcast\.linux-x64-gnu\.node, /,
  },
]) {
  test(`an addon with ${what} is refused`, { skip }, () => {
    const bytes = fs.readFileSync(path.join(root, built));
    const changed = change?.(bytes);
    const faults = faultsOf(Buffer.isBuffer(changed) ? changed : bytes, name);
    assert.ok(
      faults.some(fault => says.test(fault)),
      faults.join('\n'),
    );
  });
}

test('what an addon needs is what readelf says', {
  skip: skip || unless(() => versionOf('readelf'), 'readelf is'),
}, async () => {
  const { readElf } = await import('../scripts/addons/elf.mjs');
  const file = path.join(root, built);
  const { needed, versions } = readElf(fs.readFileSync(file));
  const said = execFileSync('readelf', ['--wide', '-d', '-V', file], { encoding: 'utf8' });
  const found = pattern => [...said.matchAll(pattern)].map(([, name]) => name).sort();
  assert.deepEqual(needed.toSorted(), found(/\(NEEDED\).*\[(.+)\]/g));
  assert.deepEqual(
    versions.map(({ name }) => name).sort(),
    found(/Name: (\S+) +Flags: \S+ +Version:/g),
  );
});

test('addons are built for the targets of package.json alone', () => {
  const script = path.join(root, 'scripts/prebuilds.mjs');
  const args = [script, 'riscv64gc-unknown-linux-gnu'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /there is no addon for riscv64gc-unknown-linux-gnu, only for x86_64-/);
});
