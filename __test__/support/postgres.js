'use strict';

// A PostgreSQL server of a test's own: on a free port of 127.0.0.1, in a directory that goes with the
// test.

const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { Client } = require('pg');
const { unless, versionOf } = require('./installed');
const { freePort } = require('./redis');
const { failsafe } = require('./wait');

const DEBIAN = '/usr/lib/postgresql';
const ATTEMPTS = 20;

/** What makes a server of a test fast: it has to outlive its own end, but not the machine's. */
const SETTINGS = ['fsync=off', 'full_page_writes=off'];

/** Where the server's programs are: Debian keeps them off the PATH. */
function findPrograms() {
  const versions = fs.existsSync(DEBIAN) ? fs.readdirSync(DEBIAN) : [];
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map(version => path.join(DEBIAN, version, 'bin'));
  const inFolder = folders.find(folder => fs.existsSync(path.join(folder, 'initdb')));
  return inFolder ?? (versionOf('initdb') ? '' : undefined);
}

/** Who runs the server where this is root, whom it refuses. */
function findOwner() {
  if (process.getuid?.() !== 0) return {};
  const [, , uid, gid] =
    fs
      .readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map(line => line.split(':'))
      .find(([name]) => name === 'postgres') ?? [];
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

const needsPostgres = {
  skip: unless(() => findPrograms() !== undefined && findOwner() !== undefined, 'PostgreSQL is'),
};

/** What there is for a process to clean up that ends before its tests have. */
const running = new Set();
process.once('exit', () => {
  for (const postgres of running) postgres.abandon();
});

class Postgres {
  #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-postgres-'));
  #programs = findPrograms();
  #owner = findOwner();
  #child;
  #ended;
  #output = '';
  #databases = 0;

  constructor() {
    running.add(this);
    if (this.#owner.uid !== undefined) {
      fs.chownSync(this.#directory, this.#owner.uid, this.#owner.gid);
    }
    execFileSync(
      path.join(this.#programs, 'initdb'),
      ['-D', this.#files, '-U', 'bot', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-locale'],
      { ...this.#owner, cwd: this.#directory, stdio: ['ignore', 'ignore', 'inherit'] },
    );
  }

  get #files() {
    return path.join(this.#directory, 'files');
  }

  /** As DATABASE_URL takes it. */
  get url() {
    return this.#urlOf('postgres');
  }

  #urlOf(database) {
    return `postgres://bot@127.0.0.1:${this.port}/${database}`;
  }

  /** The URL of a new and empty database. */
  async createDatabase() {
    this.#databases += 1;
    const name = `bot_${this.#databases}`;
    await this.query(`CREATE DATABASE ${name}`);
    return this.#urlOf(name);
  }

  /** The rows of a statement that the test itself has. */
  async query(text, { url = this.url } = {}) {
    const client = new Client(url);
    await client.connect();
    try {
      return (await client.query(text)).rows;
    } finally {
      await client.end();
    }
  }

  async startAnywhere() {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (await this.start(await freePort())) return;
    }
    throw new Error(`no port was free for PostgreSQL in ${ATTEMPTS} attempts`);
  }

  /** Runs it on this port; false where the port is taken. */
  async start(port = this.port) {
    const settings = [
      ...SETTINGS,
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      // One in the directory would be as good, were its path not too long on some systems.
      'unix_socket_directories=',
    ];
    const child = spawn(
      path.join(this.#programs, 'postgres'),
      ['-D', this.#files, ...settings.flatMap(setting => ['-c', setting])],
      { ...this.#owner, cwd: this.#directory, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#output = '';
    let ready;
    const started = new Promise((resolve, reject) => {
      ready = resolve;
      child.once('error', reject);
    });
    child.stderr.setEncoding('utf8').on('data', text => {
      this.#output += text;
      if (this.#output.includes('ready to accept connections')) ready(true);
    });
    this.#ended = new Promise(resolve => {
      child.once('close', () => {
        ready(false);
        resolve();
      });
    });
    this.#child = child;
    if (await failsafe(started, () => `PostgreSQL to be ready: ${this.#output}`)) {
      this.port = port;
      return true;
    }
    this.#child = undefined;
    if (/in use/i.test(this.#output)) return false;
    throw new Error(`PostgreSQL has ended: ${this.#output}`);
  }

  /** Ends it at once, its connections too; what was committed stays. */
  async stop() {
    if (!this.#child) return;
    // Immediate shutdown. SIGKILL would leave its processes behind.
    this.#child.kill('SIGQUIT');
    await this.#ended;
    this.#child = undefined;
  }

  /** Runs it again on its port. */
  async restart() {
    await this.stop();
    if (!(await this.start())) throw new Error(`port ${this.port} was taken meanwhile`);
  }

  abandon() {
    running.delete(this);
    this.#child?.kill('SIGQUIT');
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}

/**
 * Starts a PostgreSQL that is stopped when the test is over.
 *
 * @param {{ after(ending: () => unknown): void }} t a test's context, or node:test itself for a whole
 *   file
 * @returns {Promise<Postgres>}
 */
async function startPostgres(t) {
  const postgres = new Postgres();
  t.after(async () => {
    await postgres.stop();
    postgres.abandon();
  });
  await postgres.startAnywhere();
  return postgres;
}

/**
 * What tells bots of their databases, each call an empty one, for tests that are not about those: of a
 * PostgreSQL where that is installed, since PGlite takes many times as long to start.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @returns {Promise<() => Promise<Record<string, string>>>} for the environment
 */
async function quickDatabases(t) {
  if (needsPostgres.skip) return async () => ({});
  const postgres = await startPostgres(t);
  return async () => ({ DATABASE_URL: await postgres.createDatabase() });
}

module.exports = { needsPostgres, quickDatabases, startPostgres };
