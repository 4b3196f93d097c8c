// `npm run licenses`: the licences of what is compiled into the addon.
//
//   npm run licenses -- --target aarch64-apple-darwin    of that platform's; default: this machine's
//   npm run licenses -- --output FILE                    into a file; default: to stdout
//
// Reads the crates' own files, where cargo has put them. Exits with 1 where a crate has none.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './run.mjs';
import { hostTarget } from './rust-flags.mjs';

const LICENCE_FILE = /^(licen[cs]e|copying|copyright|notice|unlicense)/i;

/** Crates that are published without their licence: what their repository has in its root. */
const TEXT_OF = { napi: 'napi.txt', 'napi-sys': 'napi.txt' };

const RULE = '-'.repeat(100);

/**
 * The crates that are compiled into the addon of a platform, roomcast itself aside, by name.
 *
 * @param {string} target a triple of Rust's, such as `x86_64-unknown-linux-gnu`
 * @returns {{ name: string, version: string, licence: string, repository: string | null,
 *   texts: { file: string, text: string }[] }[]} `licence` is an SPDX expression
 * @throws {Error} where cargo fails, or crates have no text
 */
export function cratesOf(target) {
  // `cargo tree` knows what the features of this platform's build leave out, `cargo metadata` where
  // a crate's files are. Procedural macros run within the compiler, and nothing of them is kept.
  const edges = ['--edges', 'normal,no-proc-macro', '--prefix', 'none', '--format', '{p}'];
  const tree = cargo('tree', '--target', target, ...edges)
    .trim()
    .split('\n');
  const used = new Set(tree.map(line => line.split(' ', 2).join(' ')));
  const { packages } = JSON.parse(
    cargo('metadata', '--format-version', '1', '--filter-platform', target),
  );
  const crates = packages
    .filter(({ name, version, source }) => source && used.has(`${name} v${version}`))
    .map(({ name, version, license, repository, manifest_path }) => ({
      name,
      version,
      // Older crates have a slash for OR.
      licence: license?.replace('/', ' OR ') ?? '',
      repository,
      texts: textsOf(name, dirname(manifest_path)),
    }))
    .sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
  const without = crates.filter(({ licence, texts }) => licence === '' || texts.length === 0);
  if (without.length > 0) {
    const names = without.map(({ name, version }) => `${name} ${version}`).join(', ');
    throw new Error(
      `no licence, or no file with its text: ${names}. Put the text of the crate's repository into ` +
        'scripts/licenses/, and name it in TEXT_OF of scripts/licenses.mjs',
    );
  }
  return crates;
}

/**
 * Everything that has to be handed on with the addon of a platform, as text.
 *
 * @param {string} target as of {@link cratesOf}
 */
export function licencesOf(target) {
  const crates = cratesOf(target);
  const width = Math.max(...crates.map(({ name, version }) => name.length + version.length + 3));
  const list = crates.map(({ name, version, licence, repository }) =>
    `${`${name} ${version}`.padEnd(width)}${licence.padEnd(30)}  ${repository ?? ''}`.trimEnd(),
  );
  return `What is compiled into the addon of roomcast for ${target}
beside roomcast itself, and under which licences. Below are all texts that come with it; where a licence is
a choice (OR), any of them may be chosen. cookie and cookie-signature, which roomcast requires in JavaScript,
are installed by npm beside it, each with its own.

${list.join('\n')}
${RULE}
Rust's standard library

${read('rust.txt')}${sections(crates).join('')}`;
}

/** Each text once, under those that it comes from. */
function sections(crates) {
  const sections = new Map();
  for (const { name, version, texts } of crates) {
    for (const { file, text } of texts) {
      const key = text.replace(/\s+/g, ' ');
      if (!sections.has(key)) sections.set(key, { text, from: [] });
      sections.get(key).from.push(`${name} ${version}: ${file}`);
    }
  }
  return [...sections.values()].map(({ text, from }) => `${RULE}\n${from.join('\n')}\n\n${text}\n`);
}

/** The licences and notices that a crate brings, also for parts of it that have their own. */
function textsOf(name, folder) {
  const found = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && LICENCE_FILE.test(entry.name) && !/\.rs$/.test(entry.name))
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .map(path => ({
      file: relative(folder, path).replaceAll('\\', '/'),
      text: tidy(readFileSync(path, 'utf8')),
    }))
    .sort((a, b) => (a.file < b.file ? -1 : 1));
  if (found.length > 0 || !(name in TEXT_OF)) return found;
  return [{ file: 'LICENSE', text: tidy(read(TEXT_OF[name])) }];
}

const tidy = text => text.replaceAll('\r\n', '\n').replace(/^\s*\n|\s+$/g, '');

const read = file => readFileSync(join(root, 'scripts/licenses', file), 'utf8');

function cargo(command, ...args) {
  const { status, stdout, stderr, error } = spawnSync('cargo', [command, '--locked', ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error) throw new Error('`cargo` is not on the PATH: https://rustup.rs/');
  if (status !== 0) throw new Error(`cargo ${command}: ${stderr.trim()}`);
  return stdout;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    const { values } = parseArgs({
      options: { target: { type: 'string' }, output: { type: 'string' } },
    });
    const text = licencesOf(values.target ?? hostTarget());
    if (values.output) writeFileSync(values.output, text);
    else process.stdout.write(text);
  } catch (error) {
    console.error(`${basename(process.argv[1])}: ${error.message}`);
    process.exitCode = 1;
  }
}
