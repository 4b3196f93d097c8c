'use strict';

// Debian's nginx with the configuration of docs/deploy.md: on free ports of 127.0.0.1, with a throw-away
// certificate and a directory of its own, gone with the test.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const https = require('node:https');
const os = require('node:os');
const path = require('node:path');
const { unless } = require('./installed');
const { codeBlocks, codeUnder } = require('./markdown');
const { freePort } = require('./redis');
const { tls } = require('./server');
const { failsafe, until } = require('./wait');

const DOCUMENT = path.join(__dirname, '../../docs/deploy.md');
const FIXTURES = path.join(__dirname, '../fixtures/tls');

/** Where Debian has it is not on every user's PATH. */
const PROGRAM = ['/usr/sbin/nginx', '/usr/bin/nginx'].find(place => fs.existsSync(place));

/** Others may take a port between the look at it and nginx' own bind. */
const ATTEMPTS = 10;

/** Those to end where the tests' process ends before its tests have. */
const running = new Set();
process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
});

/** The options of a test, or a suite, that needs nginx. */
const needsNginx = { skip: unless(() => PROGRAM !== undefined, 'nginx is') };

/** The configuration that docs/deploy.md gives, as it stands there. */
function documented() {
  return codeUnder(codeBlocks(DOCUMENT), 'nginx and TLS', 'nginx');
}

/**
 * Puts `[what, into]` pairs into a text. Each has to be there exactly once, so that a test never runs
 * on something else than the document says.
 */
function substitute(text, pairs) {
  return pairs.reduce((changed, [what, into]) => {
    const times = changed.split(what).length - 1;
    if (times !== 1) throw new Error(`'${what}' is there ${times} times, not once`);
    return changed.replace(what, () => into);
  }, text);
}

/** Everything in which a test's nginx differs from the document's: names, ports, paths, certificates. */
function places({ directory, ports, bots }) {
  const upstream = bots.map(port => `server 127.0.0.1:${port} max_fails=0;`);
  return [
    ['pid /run/nginx.pid;', `pid ${directory}/pid;`],
    ['error_log /var/log/nginx/error.log warn;', `error_log ${directory}/error.log warn;`],
    ['access_log /var/log/nginx/access.log ', `access_log ${directory}/access.log `],
    // Debian's own paths for these belong to Debian's own nginx.
    [
      'http {\n',
      `http {\n${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map(kind => `  ${kind}_temp_path ${directory}/${kind};\n`)
        .join('')}`,
    ],
    ['server 127.0.0.1:3000 max_fails=0;', upstream.join('\n    ')],
    ['listen 80;', `listen 127.0.0.1:${ports.plain};`],
    ['listen [::]:80;', `listen 127.0.0.1:${ports.plainToo};`],
    ['listen 443 ssl http2;', `listen 127.0.0.1:${ports.tls} ssl http2;`],
    ['listen [::]:443 ssl http2;', `listen 127.0.0.1:${ports.tlsToo} ssl http2;`],
    ['server_name bot.example;\n\n    location', 'server_name 127.0.0.1;\n\n    location'],
    ['server_name bot.example;\n\n    ssl', 'server_name 127.0.0.1;\n\n    ssl'],
    ['return 301 https://bot.example$', `return 301 https://127.0.0.1:${ports.tls}$`],
    ['/etc/ssl/bot.example.pem', path.join(FIXTURES, 'cert.pem')],
    ['/etc/ssl/bot.example.key', path.join(FIXTURES, 'key.pem')],
  ];
}

/** One nginx: where it is, and what a test does to it. */
class Nginx {
  #child;
  #ended;
  #output = '';

  constructor(directory) {
    this.directory = directory;
  }

  /** What it has printed or logged, for a failure's message. */
  get complaints() {
    return this.#output + this.#read('error.log');
  }

  /** The lines of the access log. */
  get accesses() {
    return this.#read('access.log').split('\n').filter(Boolean);
  }

  /** Process ids of the workers, those that are shutting down included. */
  get workers() {
    const children = `/proc/${this.#child.pid}/task/${this.#child.pid}/children`;
    return fs.readFileSync(children, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  }

  /** Runs it, or says why it does not run; resolves once it is listening. */
  async start(configuration, ports) {
    this.write(configuration);
    this.#output = '';
    this.ports = ports;
    this.origin = `https://127.0.0.1:${ports.tls}`;
    const child = spawn(PROGRAM, [...this.#arguments, '-g', 'daemon off;'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        this.#output += text;
      });
    }
    let gone = false;
    this.#child = child;
    running.add(child);
    this.#ended = new Promise(resolve => {
      child.once('close', () => {
        gone = true;
        running.delete(child);
        resolve();
      });
    });
    await until(
      () => gone || fs.existsSync(path.join(this.directory, 'pid')),
      () => `nginx: ${this.complaints}`,
    );
    if (!gone) return true;
    this.#child = undefined;
    if (this.complaints.includes('Address already in use')) return false;
    throw new Error(`nginx has ended: ${this.complaints}`);
  }

  write(configuration) {
    fs.writeFileSync(path.join(this.directory, 'nginx.conf'), configuration);
  }

  /** What `nginx -t` says of the configuration. */
  check() {
    const { status, stderr } = spawnSync(PROGRAM, [...this.#arguments, '-t'], { encoding: 'utf8' });
    return { status, stderr };
  }

  /** `nginx -s reload`, until all of the workers that were there have ended. */
  async reload(configuration) {
    if (configuration) this.write(configuration);
    const before = this.workers;
    const { status, stderr } = spawnSync(PROGRAM, [...this.#arguments, '-s', 'reload'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`nginx -s reload: ${stderr}`);
    await until(
      () => !this.workers.some(pid => before.includes(pid)),
      () => `the end of the old workers: ${this.complaints}`,
    );
  }

  /**
   * One request over HTTP/1.1: `{ status, headers, body }`.
   *
   * @param {string} route as it goes over the wire
   * @param {{ body?: string } & https.RequestOptions} [options]
   */
  ask(route, { body, ...options } = {}) {
    const answer = new Promise((resolve, reject) => {
      const request = https.request(
        { host: '127.0.0.1', port: this.ports.tls, path: route, ca: tls.cert, ...options },
        response => {
          let text = '';
          response.setEncoding('utf8').on('data', part => {
            text += part;
          });
          response.once('error', reject);
          response.once('end', () =>
            resolve({ status: response.statusCode, headers: response.headers, body: text }),
          );
        },
      );
      request.once('error', reject);
      request.end(body);
    });
    return failsafe(answer, () => `the answer to ${route}: ${this.complaints}`);
  }

  async stop() {
    if (!this.#child) return;
    // At once, with its workers: after SIGKILL they would stay.
    this.#child.kill('SIGTERM');
    await failsafe(this.#ended, () => `the end of nginx: ${this.complaints}`);
    this.#child = undefined;
  }

  get #arguments() {
    const { directory } = this;
    return ['-p', directory, '-c', `${directory}/nginx.conf`, '-e', `${directory}/error.log`];
  }

  #read(name) {
    try {
      return fs.readFileSync(path.join(this.directory, name), 'utf8');
    } catch {
      return '';
    }
  }
}

function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-nginx-'));
  // Workers of a root's nginx are another user's.
  fs.chmodSync(directory, 0o755);
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * Starts nginx as docs/deploy.md has it in front of bots of this machine. It ends with the test.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {{ bots: number[], changes?: [string, string][] }} options the bots' ports, and what a variant
 *   of the document's configuration has in place of what
 * @returns {Promise<Nginx>}
 */
async function startNginx(t, { bots, changes = [] }) {
  let nginx;
  t.after(() => nginx?.stop());
  nginx = new Nginx(temporaryDirectory(t));
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const ports = {};
    for (const name of ['plain', 'plainToo', 'tls', 'tlsToo']) ports[name] = await freePort();
    const { directory } = nginx;
    const configuration = substitute(documented(), [
      ...changes,
      ...places({ directory, ports, bots }),
    ]);
    if (await nginx.start(configuration, ports)) return nginx;
  }
  throw new Error(`no ports were free for nginx in ${ATTEMPTS} attempts`);
}

module.exports = { documented, needsNginx, startNginx, substitute };
