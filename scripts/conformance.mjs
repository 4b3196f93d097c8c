// `npm run conformance`: what Autobahn|Testsuite says of the hub's transport, session and outbox, by
// way of examples/echo.rs.
//
//   npm run conformance                     all cases but those of compression, which is not offered
//   npm run conformance -- '6.4.*' 9.1.1    these
//
// The suite is installed from PyPI into node_modules/.cache. It needs CPython 2.7 (PYTHON2 says
// which, else `python2.7`). Where there is none, kosoku runs the same cases under Python 3 (PYTHON3,
// else `python3`). Exits with 1 where a case failed or was not run.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { endWithNpm, root, run } from './run.mjs';

const ALL = ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '9.*', '10.*'];
/** How many cases those are: a suite that finds fewer of them has shown nothing. */
const ALL_COUNT = 301;
const VERDICTS = ['OK', 'NON-STRICT', 'INFORMATIONAL', 'failed'];

const cache = join(root, 'node_modules/.cache/roomcast/conformance');
const reports = join(cache, 'reports');

const autobahn = {
  title: 'autobahntestsuite 25.10.1',
  requirement: 'autobahntestsuite==25.10.1',
  python: process.env.PYTHON2 ?? 'python2.7',
  runsOn: version => version.startsWith('2.7.'),
  // CPython 2.7 has no environments of its own: a folder that it is pointed to will do.
  install: async (python, folder) => {
    await pip(python, '--target', folder, autobahn.requirement);
  },
  run: (python, folder, url, cases) => {
    const spec = join(cache, 'spec.json');
    const servers = [{ agent: 'roomcast', url }];
    writeFileSync(spec, JSON.stringify({ outdir: reports, servers, cases, 'exclude-cases': [] }));
    const start = [
      'import site, sys',
      'site.addsitedir(sys.argv.pop(1))',
      'from autobahntestsuite.wstest import run',
      'run()',
    ];
    return run(python, ['-c', start.join('\n'), folder, '-m', 'fuzzingclient', '-s', spec]);
  },
};

const kosoku = {
  title: 'kosoku 0.1.0',
  requirement: 'kosoku==0.1.0',
  python: process.env.PYTHON3 ?? 'python3',
  runsOn: version => version.startsWith('3.') && Number(version.split('.')[1]) >= 10,
  install: async (python, folder) => {
    const code = await run(python, ['-m', 'venv', '--clear', folder]);
    if (code !== 0) fail(`\`${python} -m venv\` failed (Debian: apt install python3-venv).`);
    await pip(inside(folder), kosoku.requirement);
  },
  run: (_, folder, url, cases) => {
    const start = 'from kosoku._cli import main; main()';
    const included = cases.flatMap(pattern => ['--include', pattern]);
    return run(inside(folder), ['-c', start, '--outdir', reports, ...included, url]);
  },
};

endWithNpm();
const wanted = process.argv.slice(2);
if (spawnSync('cargo', ['--version']).error) {
  fail('The echo server is built by `cargo`, which is not on the PATH: https://rustup.rs/');
}
const { suite, python, version } = choose();
const folder = await installed();
if ((await run('cargo', ['build', '--release', '--example', 'echo'])) !== 0) {
  fail('The echo server could not be built; the output above says why.');
}
rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });
await withEcho(url => suite.run(python, folder, url, wanted.length > 0 ? wanted : ALL));
report(results());

/** The suite that this machine has a Python for. */
function choose() {
  for (const suite of [autobahn, kosoku]) {
    const { error, stdout, stderr } = spawnSync(suite.python, ['--version'], { encoding: 'utf8' });
    // Python 2 tells its version where others tell their errors.
    const [, version] = /^Python (\S+)/.exec(error ? '' : stdout || stderr) ?? [];
    if (version && suite.runsOn(version)) return { suite, python: suite.python, version };
  }
  return fail(
    'The suite needs CPython 2.7, or Python 3.10 or newer: https://www.python.org/downloads/',
  );
}

/** The folder that the suite is in, complete. */
async function installed() {
  const folder = join(cache, suite.requirement.replace('==', '-'));
  const complete = join(folder, `complete-${version}`);
  if (!existsSync(complete)) {
    console.log(`Setting up: ${suite.title} for Python ${version}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await suite.install(python, folder);
    writeFileSync(complete, '');
  }
  return folder;
}

async function pip(python, ...args) {
  const quiet = ['--quiet', '--disable-pip-version-check'];
  if ((await run(python, ['-m', 'pip', 'install', ...quiet, ...args])) !== 0) {
    fail(`\`pip install ${suite.requirement}\` failed; the output above says why.`);
  }
}

function inside(folder) {
  return join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
}

/** Calls `use` with the URL of an echo server. */
async function withEcho(use) {
  const args = ['run', '--release', '--quiet', '--example', 'echo', '--', '0'];
  const echo = spawn('cargo', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(echo, 'close');
  const end = () => echo.kill();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.once(signal, end);
  try {
    const [url] = await Promise.race([once(createInterface(echo.stdout), 'line'), ended]);
    if (echo.exitCode !== null) fail('The echo server ended; the output above says why.');
    await use(url);
    // What it could not answer any more shows as failed cases, of which this is the reason.
    if (echo.exitCode !== null) fail('The echo server ended under the suite.');
  } finally {
    for (const signal of signals) process.off(signal, end);
    end();
    await ended;
  }
}

/** What the suite wrote down, in the order of the cases. */
function results() {
  const index = join(reports, 'index.json');
  if (!existsSync(index)) fail('The suite has left no report; the output above says why.');
  const [cases] = Object.values(JSON.parse(readFileSync(index, 'utf8')));
  return Object.entries(cases)
    .map(([id, { behavior, behaviorClose, reportfile }]) => ({
      id,
      section: Number.parseInt(id, 10),
      verdict: verdict(behavior, behaviorClose),
      why: () => {
        const { result, resultClose } = JSON.parse(readFileSync(join(reports, reportfile), 'utf8'));
        return `${behavior}: ${result} ${behaviorClose}: ${resultClose}`;
      },
    }))
    .sort((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** A case has two verdicts, on what was said and on how the connection ended. The worse one counts. */
function verdict(...both) {
  if (!both.every(one => VERDICTS.includes(one))) return 'failed';
  return ['NON-STRICT', 'INFORMATIONAL'].find(one => both.includes(one)) ?? 'OK';
}

function report(cases) {
  const row = (title, some) => {
    const counts = VERDICTS.map(one => some.filter(({ verdict }) => verdict === one).length);
    return `| ${[title, some.length, ...counts].join(' | ')} |`;
  };
  const sections = [...new Set(cases.map(({ section }) => section))];
  console.log(`\n${suite.title}, Python ${version}, ${new Date().toISOString().slice(0, 10)}\n`);
  console.log(`| section | cases | ${VERDICTS.join(' | ')} |`);
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const section of sections) {
    console.log(
      row(
        section,
        cases.filter(one => one.section === section),
      ),
    );
  }
  console.log(`${row('all', cases)}\n`);
  for (const { id, verdict, why } of cases) {
    if (verdict !== 'OK')
      console.log(`${id} ${verdict}${verdict === 'failed' ? `: ${why()}` : ''}`);
  }
  if (wanted.length === 0 && cases.length !== ALL_COUNT) {
    fail(`${ALL_COUNT} cases were to be run, and ${cases.length} were.`);
  }
  if (cases.some(({ verdict }) => verdict === 'failed')) process.exitCode = 1;
}

function fail(message) {
  console.error(`\n${message}`);
  process.exit(1);
}
