// What stands in the published packages beside their code.

const BINDING = '@roomcast/binding';

/** What is about the sources only. */
const OF_THE_SOURCES = ['private', 'napi', 'scripts', 'devDependencies', 'overrides'];

const SYSTEMS = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' };
const LIBRARIES = { gnu: ' and glibc', musl: ' and musl' };

/**
 * The main package's package.json. The packages of all platforms are its optional dependencies, of
 * exactly its version. In the sources' own they would make `npm ci` ask for what is not published
 * yet.
 *
 * @param {object} manifest the sources' own
 * @param {import('@napi-rs/cli').Target[]} targets
 */
export function mainManifest(manifest, targets) {
  const kept = Object.entries(manifest).filter(([field]) => !OF_THE_SOURCES.includes(field));
  const packages = targets.map(({ platformArchABI }) => `${BINDING}-${platformArchABI}`);
  return {
    ...Object.fromEntries(kept),
    optionalDependencies: Object.fromEntries(packages.map(name => [name, manifest.version])),
  };
}

/** A platform package's README. */
export function platformReadme({ platformArchABI, platform, arch, libc }) {
  return `# ${BINDING}-${platformArchABI}

The addon of \`roomcast\` for ${SYSTEMS[platform]} on ${arch}${LIBRARIES[libc] ?? ''}. It comes by itself with
\`npm install roomcast\`, which chooses by \`os\`, \`cpu\` and \`libc\`, and is of no use without it.

MIT. THIRD-PARTY-LICENSES has the licences of what is compiled in.
`;
}
