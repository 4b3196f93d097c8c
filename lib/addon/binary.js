'use strict';

// What the headers of programs and addons say about where they run.

const fs = require('node:fs');

// `man 5 elf`, 64 bits, little-endian; Mach-O's <mach-o/loader.h>; Microsoft's "PE Format".
const ELF = Buffer.from('\x7fELF\x02\x01', 'latin1');
const MACH_O = Buffer.from('cffaedfe', 'hex');
const PE = Buffer.from('MZ');

const ELF_MACHINE = 0x12;
const MACH_O_CPU = 0x04;
const PE_SIGNATURE_AT = 0x3c;
const PE_MACHINE = 0x04;
const PROCESSORS = new Map([
  [0x3e, 'x64'],
  [0xb7, 'arm64'],
  [0x01000007, 'x64'],
  [0x0100000c, 'arm64'],
  [0x8664, 'x64'],
  [0xaa64, 'arm64'],
]);

const ELF_SEGMENTS = { at: 0x20, size: 0x36, count: 0x38 };
const SEGMENT = { offset: 0x08, length: 0x20 };
const PT_INTERP = 3;

const HEADER_BYTES = 0x40;

/**
 * The platform and architecture that a file's code is for, such as `linux-x64`; undefined where it
 * is no program of a kind known here.
 *
 * @param {string} file
 * @returns {string | undefined}
 */
function platformOf(file) {
  return reading(file, read => {
    const header = read(0, HEADER_BYTES);
    if (begins(header, ELF)) return nameOf('linux', header.readUInt16LE(ELF_MACHINE));
    if (begins(header, MACH_O)) return nameOf('darwin', header.readUInt32LE(MACH_O_CPU));
    if (begins(header, PE)) {
      const machine = read(header.readUInt32LE(PE_SIGNATURE_AT) + PE_MACHINE, 2);
      return nameOf('win32', machine.readUInt16LE());
    }
    return undefined;
  });
}

/**
 * The dynamic loader (PT_INTERP) that an ELF program asks for; undefined where it names none.
 *
 * @param {string} program
 * @returns {string | undefined}
 */
function loaderOf(program) {
  return reading(program, read => {
    const header = read(0, HEADER_BYTES);
    if (!begins(header, ELF)) return undefined;
    const size = header.readUInt16LE(ELF_SEGMENTS.size);
    const count = header.readUInt16LE(ELF_SEGMENTS.count);
    const segments = read(Number(header.readBigUInt64LE(ELF_SEGMENTS.at)), size * count);
    for (let at = 0; at < segments.length; at += size) {
      if (segments.readUInt32LE(at) !== PT_INTERP) continue;
      // Wherever it stands: tools that change programs put it at the end.
      const offset = Number(segments.readBigUInt64LE(at + SEGMENT.offset));
      const length = Number(segments.readBigUInt64LE(at + SEGMENT.length));
      return read(offset, length).toString('latin1', 0, length - 1);
    }
    return undefined;
  });
}

const nameOf = (platform, processor) => `${platform}-${PROCESSORS.get(processor) ?? 'unknown'}`;

const begins = (bytes, magic) => bytes.subarray(0, magic.length).equals(magic);

/** Opens a file for `use`, which is given what reads from it: zeros follow where it is shorter. */
function reading(file, use) {
  const descriptor = fs.openSync(file, 'r');
  try {
    return use((offset, length) => {
      const bytes = Buffer.alloc(length);
      fs.readSync(descriptor, bytes, 0, length, offset);
      return bytes;
    });
  } finally {
    fs.closeSync(descriptor);
  }
}

module.exports = { loaderOf, platformOf };
