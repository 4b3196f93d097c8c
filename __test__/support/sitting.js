'use strict';

// The predecessor's bot in a folder of its own, and the migration document's steps done to it as they
// stand there.

const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { promisify } = require('node:util');
const { codeBlocks, codeUnder } = require('./markdown');
const { Arrivals } = require('./queue');
const { failsafe } = require('./wait');

const run = promisify(execFile);
const root = path.join(__dirname, '../..');
const predecessor = path.join(__dirname, '../fixtures/predecessor');
const document = path.join(root, 'docs/migrate-from-ws.md');
const blocks = codeBlocks(document);
const lines = fs.readFileSync(document, 'utf8').split('\n');

/** What the predecessor's bot has installed. */
const PACKAGES = [
  '@electric-sql/pglite',
  'connect-redis',
  'express',
  'express-session',
  'redis',
  'ws',
];

/** npm without a registry. */
const NPM = `#!/bin/sh -e
case "$1 $2" in
  "install roomcast") ln -s "${root}" node_modules/roomcast ;;
  "uninstall roomcast" | "uninstall ws") rm "node_modules/$2" ;;
  *) echo "npm $*: not in this test" >&2; exit 1 ;;
esac
`;

/** The file that the document names at the end of the line above a block, if it does. */
function fileOf({ line }) {
  return /`(src\/\S+\.js)`:$/.exec(lines[line - 3])?.[1];
}

class Sitting {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-sitting-'));
  #env;
  #port = 0;
  #child;
  #ended;

  constructor() {
    const { ROOMS: _, ...env } = process.env;
    this.#env = { ...env, DATA_DIR: this.#inFolder('database') };
    fs.cpSync(predecessor, this.#folder, { recursive: true });
    for (const name of PACKAGES) {
      const link = this.#inFolder('node_modules', name);
      fs.mkdirSync(path.dirname(link), { recursive: true });
      fs.symlinkSync(path.join(root, 'node_modules', name), link);
    }
    this.write('bin/npm', NPM);
    fs.chmodSync(this.#inFolder('bin/npm'), 0o755);
  }

  /** `http://127.0.0.1:port`, the same for every start. */
  get origin() {
    return `http://127.0.0.1:${this.#port}`;
  }

  #inFolder(...names) {
    return path.join(this.#folder, ...names);
  }

  write(file, text) {
    fs.mkdirSync(path.dirname(this.#inFolder(file)), { recursive: true });
    fs.writeFileSync(this.#inFolder(file), text);
  }

  /** What stands in the bot's environment at every start. */
  configure(env) {
    Object.assign(this.#env, env);
  }

  /** The bot's own source files, sorted. */
  files() {
    const names = fs.readdirSync(this.#inFolder('src'), { recursive: true });
    return names.filter(name => name.endsWith('.js')).sort();
  }

  /** Writes the files that the document shows under a heading, and gives their names. */
  writeFiles(heading) {
    const written = [];
    for (const block of blocks) {
      const file = block.headings.includes(heading) && block.language === 'js' && fileOf(block);
      if (!file) continue;
      this.write(file, block.code);
      written.push(file);
    }
    return written;
  }

  /** Runs the commands that the document shows under a heading, and gives what they print. */
  async runCommands(heading) {
    const { stdout } = await run('sh', ['-ec', codeUnder(blocks, heading, 'sh')], {
      cwd: this.#folder,
      env: { ...this.#env, PATH: `${this.#inFolder('bin')}${path.delimiter}${this.#env.PATH}` },
    });
    return stdout;
  }

  /** Starts the bot, and resolves once it listens. */
  async start(env = {}) {
    const bot = this.#inFolder('src/bot/core/bot.js');
    const child = spawn(process.execPath, [bot], {
      env: { ...this.#env, PORT: String(this.#port), ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#ended = new Promise(resolve => child.once('close', resolve));
    const output = new Arrivals();
    readline.createInterface({ input: child.stdout }).on('line', line => output.push(line));
    this.#ended.then(code => output.end(`the bot has ended with ${code}`));
    this.#port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(await output.next())[1];
  }

  /** Stops the bot as systemd and pm2 do. */
  async stop() {
    this.#child.kill('SIGTERM');
    await failsafe(this.#ended, () => 'the end of the bot');
  }

  async restart(env) {
    await this.stop();
    await this.start(env);
  }

  async end() {
    this.#child?.kill('SIGKILL');
    await this.#ended;
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }
}

/**
 * Puts the predecessor's bot into a folder that goes with the test, and the bot with it.
 *
 * @param {import('node:test').TestContext} t
 */
function sitDown(t) {
  const sitting = new Sitting();
  t.after(() => sitting.end());
  return sitting;
}

/** Code that the document shows under a heading, to be run in a page. */
const pageCode = heading =>
  codeUnder(
    blocks.filter(block => !fileOf(block)),
    heading,
    'js',
  );

/** The document's table of room ids: `{ roomId, before, now }`, the last two in its words. */
const roomIdRows = () =>
  lines
    .map(line => /^\s*\| `([^`]*)` \| ([^|]*) \| ([^|]*) \|$/.exec(line))
    .filter(row => row && isJson(row[1]))
    .map(([, id, before, now]) => ({ roomId: JSON.parse(id), before, now }));

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

module.exports = { pageCode, roomIdRows, sitDown };
