// Reads of an ELF file what its loader reads: the program headers and the dynamic section. Only files
// of 64 bits, least significant byte first, which all platforms of the addon have. Structures: elf(5),
// and for versions the Linux Standard Base, "Symbol Versioning".

const SECTION_SYMTAB = 2;
const SEGMENT = { load: 1, dynamic: 2, stack: 0x6474e551 };
const EXECUTABLE = 1;
const TAG = { needed: 1, strtab: 5, verneed: 0x6ffffffe, verneednum: 0x6fffffff };

export function isElf(bytes) {
  return bytes.length >= 64 && bytes.readUInt32BE(0) === 0x7f454c46;
}

/**
 * @param {Buffer} bytes of a whole file
 * @returns {{
 *   machine: number,                          e_machine
 *   needed: string[],                         libraries, in the file's order
 *   versions: { library: string, name: string }[]   versions of symbols that it needs of them
 *   symbols: boolean,                         whether it was not stripped
 *   executableStack: boolean
 * }}
 * @throws {Error} where it is not a shared library that can be read
 */
export function readElf(bytes) {
  if (bytes[4] !== 2 || bytes[5] !== 1) throw new Error('not an ELF file of 64 bits, LSB first');
  const segments = table(bytes, 32, 54, 56).map(at => ({
    type: bytes.readUInt32LE(at),
    flags: bytes.readUInt32LE(at + 4),
    offset: word(bytes, at + 8),
    address: word(bytes, at + 16),
    size: word(bytes, at + 32),
  }));
  const sections = table(bytes, 40, 58, 60).map(at => bytes.readUInt32LE(at + 4));
  const dynamic = segments.find(({ type }) => type === SEGMENT.dynamic);
  if (!dynamic) throw new Error('not a shared library: it has no dynamic section');

  const entries = [];
  for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
    entries.push({ tag: word(bytes, at), value: word(bytes, at + 8) });
  }
  const tagged = wanted => entries.find(({ tag }) => tag === wanted)?.value;
  const offsetOf = address => {
    const within = ({ type, address: from, size }) =>
      type === SEGMENT.load && address >= from && address < from + size;
    const segment = segments.find(within);
    if (!segment) throw new Error(`nothing of the file is loaded to 0x${address.toString(16)}`);
    return segment.offset + address - segment.address;
  };
  const strings = offsetOf(tagged(TAG.strtab));
  const text = at => bytes.toString('latin1', strings + at, bytes.indexOf(0, strings + at));

  return {
    machine: bytes.readUInt16LE(18),
    needed: entries.filter(({ tag }) => tag === TAG.needed).map(({ value }) => text(value)),
    versions: tagged(TAG.verneed)
      ? versionsAt(bytes, offsetOf(tagged(TAG.verneed)), tagged(TAG.verneednum), text)
      : [],
    symbols: sections.includes(SECTION_SYMTAB),
    executableStack: segments.some(
      ({ type, flags }) => type === SEGMENT.stack && (flags & EXECUTABLE) !== 0,
    ),
  };
}

/** Where the entries of a table of headers stand, whose place, entry size and length the file's header has. */
function table(bytes, place, size, length) {
  const [first, each] = [word(bytes, place), bytes.readUInt16LE(size)];
  return Array.from({ length: bytes.readUInt16LE(length) }, (_, index) => first + index * each);
}

function versionsAt(bytes, first, count, text) {
  const versions = [];
  let library = first;
  for (let left = count; left > 0; left -= 1) {
    let version = library + bytes.readUInt32LE(library + 8);
    for (let more = bytes.readUInt16LE(library + 2); more > 0; more -= 1) {
      const name = text(bytes.readUInt32LE(version + 8));
      versions.push({ library: text(bytes.readUInt32LE(library + 4)), name });
      version += bytes.readUInt32LE(version + 12);
    }
    library += bytes.readUInt32LE(library + 12);
  }
  return versions;
}

function word(bytes, at) {
  return Number(bytes.readBigUInt64LE(at));
}
