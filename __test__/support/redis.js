'use strict';

// Redis servers of a test's own: on a free port of 127.0.0.1, with an empty store and nothing kept
// on disk, gone with the test.

const { execFile, spawn } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { needsRedis, needsTls } = require('./redis-installed');
const { makeCertificates } = require('./redis-tls');
const { failsafe, until } = require('./wait');

const run = promisify(execFile);

/**
 * Below what systems give to outgoing connections (32768 and up, 49152 by IANA): a hub that keeps
 * trying to reach a stopped Redis cannot be given that very port as its own, and so connect to itself.
 */
const PORTS = { from: 15_000, to: 32_000 };

/** Others may take a port between the look at it and Redis's own bind. */
const ATTEMPTS = 20;

/** What there is for a process to clean up that ends before its tests have. */
const running = new Set();
const directories = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of directories) removeDirectory(directory);
});
// A run that is stopped, or that takes too long, ends by a signal.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

async function isFree(port) {
  const probe = net.createServer();
  const free = await new Promise(resolve => {
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) await new Promise(resolve => probe.close(resolve));
  return free;
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
async function freePort() {
  const { from, to } = PORTS;
  return until(async () => {
    const port = from + Math.floor(Math.random() * (to - from));
    return (await isFree(port)) && port;
  }, 'a free port');
}

/** One redis-server: where it is, and what a test does to it. */
class Redis {
  #child;
  #ended;
  #output = '';
  #config;
  #program;

  constructor(directory, { password, certificates, program = 'redis-server', config = {} }) {
    this.directory = directory;
    this.#program = program;
    /** The file of the authority that has signed its certificate, where it speaks TLS. */
    this.authority = certificates?.authority;
    this.password = password;
    this.#config = {
      bind: '127.0.0.1',
      dir: directory,
      save: '',
      appendonly: 'no',
      ...(password !== undefined && { requirepass: password }),
      ...(certificates && {
        port: 0,
        'tls-cert-file': certificates.cert,
        'tls-key-file': certificates.key,
        'tls-ca-cert-file': certificates.authority,
        'tls-auth-clients': 'no',
      }),
      ...config,
    };
  }

  get pid() {
    return this.#child?.pid;
  }

  /** As `cluster.url` takes it, for database 0. */
  get url() {
    const scheme = this.authority ? 'rediss' : 'redis';
    const who = this.password === undefined ? '' : `:${encodeURIComponent(this.password)}@`;
    return `${scheme}://${who}127.0.0.1:${this.port}`;
  }

  /** What it has printed, for a failure's message. */
  get output() {
    return this.#output;
  }

  /** Runs it on this port; false where the port is taken. */
  async start(port, config = {}) {
    const portName = this.authority ? 'tls-port' : 'port';
    const args = Object.entries({ ...this.#config, [portName]: port, ...config });
    const child = spawn(
      this.#program,
      args.flatMap(([name, value]) => [`--${name}`, String(value)]),
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#output = '';
    let ready;
    const started = new Promise((resolve, reject) => {
      ready = resolve;
      child.once('error', reject);
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        this.#output += text;
        if (this.#output.includes('Ready to accept connections')) ready(true);
      });
    }
    running.add(child);
    this.#ended = new Promise(resolve => {
      child.once('close', () => {
        running.delete(child);
        ready(false);
        resolve();
      });
    });
    this.#child = child;
    if (await failsafe(started, () => `redis-server to be ready: ${this.#output}`)) {
      this.port = port;
      this.#config = { ...this.#config, ...config };
      return true;
    }
    this.#child = undefined;
    if (/address already in use/i.test(this.#output)) return false;
    throw new Error(`redis-server has ended: ${this.#output}`);
  }

  /** Runs it on a free port, `config` giving what else depends on chance. */
  async startAnywhere(config = async () => ({})) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (await this.start(await freePort(), await config())) return;
    }
    throw new Error(`no port was free for redis-server in ${ATTEMPTS} attempts`);
  }

  /**
   * What redis-cli prints for a command, without the last line break; several replies are lines.
   * Rejects where Redis answers with an error.
   */
  async cli(...args) {
    const { stdout } = await run('redis-cli', ['-e', ...this.cliArguments, ...args.map(String)], {
      env: { ...process.env, ...(this.password !== undefined && { REDISCLI_AUTH: this.password }) },
      timeout: 30_000,
    });
    return stdout.replace(/\n$/, '');
  }

  /** How redis-cli finds it. */
  get cliArguments() {
    const tls = this.authority ? ['--tls', '--cacert', this.authority] : [];
    return ['-h', '127.0.0.1', '-p', String(this.port), ...tls];
  }

  /** The sharded channels that somebody is subscribed to, sorted. */
  async channels() {
    const lines = await this.cli('PUBSUB', 'SHARDCHANNELS');
    return lines.split('\n').filter(Boolean).sort();
  }

  /** How many connections are subscribed to a sharded channel. */
  async subscribers(channel) {
    return Number((await this.cli('PUBSUB', 'SHARDNUMSUB', channel)).split('\n')[1]);
  }

  /** Takes the processor from it: connections stay, and nothing is answered. */
  pause() {
    this.#child.kill('SIGSTOP');
  }

  resume() {
    this.#child.kill('SIGCONT');
  }

  /** Gone at once, with its store. A process that is paused ends too. */
  async stop() {
    if (!this.#child) return;
    this.#child.kill('SIGKILL');
    await this.#ended;
    this.#child = undefined;
  }

  /** Runs it again on its port, with an empty store. */
  async restart() {
    await this.stop();
    if (!(await this.start(this.port))) throw new Error(`port ${this.port} was taken meanwhile`);
  }
}

/** A directory that goes with the test. */
function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-redis-'));
  directories.add(directory);
  t.after(() => removeDirectory(directory));
  return directory;
}

function removeDirectory(directory) {
  directories.delete(directory);
  fs.rmSync(directory, { recursive: true, force: true });
}

/**
 * Starts a Redis that is stopped when the test is over.
 *
 * @param {{ after(ending: () => unknown): void }} t a test's context, or node:test itself for a whole
 *   file
 * @param {{ password?: string, tls?: boolean, program?: string, config?: Record<string, string | number> }} [options]
 *   `program` is the server's, where it is not the installed one; `config` has lines of redis.conf
 * @returns {Promise<Redis>}
 */
async function startRedis(t, { tls = false, ...options } = {}) {
  const redis = prepareRedis(t, { tls, ...options });
  await redis.startAnywhere();
  return redis;
}

/** The same, not started yet. */
function prepareRedis(t, { tls = false, ...options } = {}) {
  // Node calls what is given to `after` in its order.
  let redis;
  t.after(() => redis?.stop());
  const directory = temporaryDirectory(t);
  redis = new Redis(directory, {
    certificates: tls ? makeCertificates(directory) : undefined,
    ...options,
  });
  return redis;
}

module.exports = { Redis, freePort, needsRedis, needsTls, prepareRedis, startRedis };
