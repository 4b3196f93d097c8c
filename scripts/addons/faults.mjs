// What keeps an addon from being published, told from its file alone.
import { isElf, readElf } from './elf.mjs';
import { OLDEST_GLIBC } from './targets.mjs';

/** Bytes of an addon, and more than any needs: TLS to Redis is 1.2 MB of it. */
const MOST_BYTES = 4_000_000;

const FORMAT = {
  linux: { name: 'ELF', machines: { x64: 62, arm64: 183 } },
  darwin: { name: 'Mach-O', machines: { x64: 0x01000007, arm64: 0x0100000c } },
  win32: { name: 'PE', machines: { x64: 0x8664, arm64: 0xaa64 } },
};

// By the names of the systems' loaders and C libraries: an addon brings everything else along.
const LIBRARIES = {
  gnu: /^(lib(c|m|dl|pthread|rt|gcc_s)\.so\.\d+|ld-linux-(x86-64|aarch64)\.so\.\d)$/,
  musl: /^(libc\.so|libc\.musl-(x86_64|aarch64)\.so\.1|libgcc_s\.so\.1)$/,
};

/**
 * @param {Buffer} bytes of the addon
 * @param {{ platform: string, arch: string, libc: string | null }} target that its name tells
 * @param {string[]} [paths] of this machine, which are nobody's business
 * @returns {{ facts: string[], faults: string[] }}
 */
export function inspect(bytes, target, paths = []) {
  const { format, machine } = header(bytes);
  const facts = [format ?? 'no format', `${bytes.length} bytes`];
  const faults = [];
  const right = FORMAT[target.platform];
  if (format !== right.name) faults.push(`it is ${format ?? 'no program'}, not ${right.name}`);
  else if (machine !== right.machines[target.arch]) {
    const other = Object.entries(right.machines).find(([, number]) => number === machine);
    faults.push(`it is for ${other?.[0] ?? `machine ${machine}`}, not for ${target.arch}`);
  } else if (format === 'ELF') {
    inspectElf(readElf(bytes), target.libc, facts, faults);
  }
  if (bytes.length >= MOST_BYTES) faults.push(`it has ${MOST_BYTES} bytes or more`);
  const named = paths.find(path => bytes.includes(path));
  if (named) faults.push(`it names ${named}, a folder of this machine`);
  return { facts, faults };
}

function inspectElf({ needed, versions, symbols, executableStack }, libc, facts, faults) {
  const glibc = versions
    .map(({ name }) => name)
    .filter(name => name.startsWith('GLIBC_'))
    .sort(byVersion);
  const newest = glibc.at(-1);
  if (newest) facts.push(newest);
  facts.push(`needs ${needed.join(' ')}`);

  const foreign = needed.filter(library => !LIBRARIES[libc].test(library));
  if (foreign.length > 0) faults.push(`it needs ${foreign.join(', ')}, not a library of ${libc}`);
  if (libc === 'gnu') {
    const tooNew = new Set(glibc.filter(name => byVersion(name, `GLIBC_${OLDEST_GLIBC}`) > 0));
    if (tooNew.size > 0) {
      faults.push(`it needs ${[...tooNew].join(', ')}, newer than ${OLDEST_GLIBC}`);
    }
  } else if (newest) {
    faults.push(`it needs symbols of glibc (${newest})`);
  }
  if (symbols) faults.push('it is not stripped');
  // Which glibc 2.41 and newer refuse to load.
  if (executableStack) faults.push('it wants an executable stack');
}

/** Orders names such as GLIBC_2.17; one without a number, such as GLIBC_PRIVATE, is newer than all. */
function byVersion(one, other) {
  const number = name => {
    const [, major, minor = 0] = /^GLIBC_(\d+)(?:\.(\d+))?/.exec(name) ?? [0, Infinity];
    return Number(major) * 1_000 + Number(minor);
  };
  return number(one) === number(other) ? 0 : number(one) - number(other);
}

function header(bytes) {
  if (isElf(bytes)) return { format: 'ELF', machine: bytes.readUInt16LE(18) };
  if (bytes.length >= 64 && bytes.readUInt32LE(0) === 0xfeedfacf) {
    return { format: 'Mach-O', machine: bytes.readUInt32LE(4) };
  }
  if (bytes.length >= 64 && bytes.toString('latin1', 0, 2) === 'MZ') {
    const at = bytes.readUInt32LE(60);
    if (at + 6 <= bytes.length && bytes.toString('latin1', at, at + 4) === 'PE\0\0') {
      return { format: 'PE', machine: bytes.readUInt16LE(at + 4) };
    }
  }
  return {};
}
