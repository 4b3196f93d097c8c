'use strict';

// What a bot's author does: install the packages into a project where there is no Rust, and run the
// README's code in it. Takes its time: npm packs and installs some 80 packages.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { it } = require('node:test');
const WebSocket = require('ws');
const { createProject } = require('./support/bot-project');
const { codeBlocks } = require('./support/markdown');
const { temporaryFolder } = require('./support/package');
const { packInstalled, packOtherPlatforms, packRoomcast } = require('./support/packed');
const { Arrivals } = require('./support/queue');
const { serveTarballs } = require('./support/tarball-registry');
const { share } = require('./support/suite');
const { failsafe, until } = require('./support/wait');
const { version } = require('../package.json');

const root = path.join(__dirname, '..');
const tsc = require.resolve('typescript/bin/tsc');

const javascript = codeBlocks(path.join(root, 'README.md')).filter(
  ({ language }) => language === 'js',
);
const botCode = find("require('roomcast')");
const pageCode = find('new WebSocket(');

function find(text) {
  const found = javascript.find(({ code }) => code.includes(text));
  assert.ok(found, `the README has no block with ${text}`);
  return found.code;
}

/** The README's bot, on any port, which it prints. */
const bot = botCode.replace(
  /server\.listen\(3000\);/,
  "server.listen(0, '127.0.0.1', () => console.log(JSON.stringify(server.address())));",
);

/** The same in a module. */
const botModule = bot.replace(/const (\{[^}]+\}|\w+) = require\((.+)\);/g, 'import $1 from $2;');

let project;
let installed;

share(async t => {
  const folder = temporaryFolder(t);
  const own = await packRoomcast(path.join(folder, 'own'));
  const others = await packOtherPlatforms(path.join(folder, 'others'), own);
  const needed = await packInstalled(path.join(folder, 'needed'), [
    ...['cookie', 'cookie-signature', 'express', '@types/node'],
  ]);
  const { url } = await serveTarballs(t, [...others, ...needed]);
  project = createProject(path.join(folder, 'project'), {
    registry: url,
    cache: path.join(folder, 'cache'),
  });
  installed = await project.npm(
    'install',
    '--foreground-scripts',
    ...own,
    'express',
    '@types/node',
  );
});

it('is installed without Rust, a compiler or a script', async () => {
  for (const tool of ['cargo', 'rustc', 'cc', 'sh']) {
    assert.equal(spawnSync(tool, ['--version'], { env: project.env }).error?.code, 'ENOENT', tool);
  }
  const { packages } = project.lock();
  assert.equal(packages['node_modules/roomcast'].version, version);
  const withScripts = Object.keys(packages).filter(key => packages[key].hasInstallScript);
  assert.deepEqual(withScripts, []);
  assert.doesNotMatch(installed.stdout + installed.stderr, /> roomcast|warn|ERR/i);
  // What is for work on the sources alone is not there.
  const manifest = require(path.join(project.at('roomcast'), 'package.json'));
  for (const field of ['scripts', 'devDependencies', 'napi', 'overrides', 'private']) {
    assert.equal(manifest[field], undefined, field);
  }
});

it('is installed again by its lock file', async () => {
  const before = fs.readFileSync(path.join(project.folder, 'package-lock.json'), 'utf8');
  await project.npm('ci');
  assert.ok(project.has('roomcast'));
  assert.equal(fs.readFileSync(path.join(project.folder, 'package-lock.json'), 'utf8'), before);
});

it('runs the README from CommonJS', t => runBot(t, write('bot.cjs', bot)));

it('runs the README from an ES module', t => runBot(t, write('bot.mjs', botModule)));

for (const [resolution, module, files] of [
  ['node16', 'node16', ['node16.mts', 'node16.cts']],
  ['bundler', 'esnext', ['bundler.mts']],
]) {
  it(`runs the README from TypeScript with moduleResolution ${resolution}`, async t => {
    compile(resolution, module, files);
    for (const file of files) {
      await runBot(t, path.join(project.folder, file.replace(/ts$/, 'js')));
    }
  });
}

/** Checks the types of the README in files of these names, and makes JavaScript of them. */
function compile(moduleResolution, module, files) {
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2022',
    strict: true,
    esModuleInterop: true,
    noEmitOnError: true,
    types: ['node'],
    // Checked elsewhere, and these are the larger part.
    skipLibCheck: true,
  };
  for (const file of files) write(file, botModule);
  write('express.d.ts', EXPRESS);
  const settings = { compilerOptions, files: [...files, 'express.d.ts'] };
  const config = write(`${moduleResolution}.json`, JSON.stringify(settings));
  const { status, stdout } = spawnSync(process.execPath, [tsc, '--project', config], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout);
}

/** express has no types of its own, and theirs are not what this is about. */
const EXPRESS = `
declare module 'express' {
  import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
  interface Express extends RequestListener {
    post(path: string, route: (req: IncomingMessage & { params: { id: string } }, res: ServerResponse) => void): void;
  }
  export default function express(): Express;
}
`;

function write(name, text) {
  const file = path.join(project.folder, name);
  fs.writeFileSync(file, text);
  return file;
}

/** Runs a bot until the README's page has seen its update. */
async function runBot(t, file) {
  const child = spawn(process.execPath, [file], {
    cwd: project.folder,
    env: project.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    complaints += text;
  });
  const lines = new Arrivals();
  readline.createInterface({ input: child.stdout }).on('line', line => lines.push(line));
  const ended = new Promise(resolve => child.once('close', resolve));
  ended.then(() => lines.end(`the bot has ended: ${complaints}`));
  t.after(() => {
    child.kill('SIGKILL');
    return ended;
  });

  const host = `127.0.0.1:${JSON.parse(await lines.next()).port}`;
  const shown = [];
  let socket;
  class PageWebSocket extends WebSocket {
    constructor(url) {
      super(url);
      socket = this;
    }
  }
  const page = new Function('WebSocket', 'window', 'console', pageCode);
  page(PageWebSocket, { location: { host } }, { log: line => shown.push(line) });
  t.after(() => socket.terminate());
  const joined = new Promise(resolve => {
    socket.on('message', text => JSON.parse(text).type === 'ROOM_JOINED' && resolve());
  });
  await failsafe(joined, () => `the page in its room: ${complaints}`);
  await fetch(`http://${host}/rooms/1/join`, { method: 'POST' });
  await until(() => shown.includes('25 of 50'), 'the count');
}
