'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { needs } = require('./compat');
const { runProgram } = require('./program');

const root = path.join(__dirname, '../..');

/** Runs a command; resolves with how it ended, and what it said. */
function run(command, args, env = process.env) {
  return new Promise(resolve => {
    execFile(command, args, { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ status: error ? error.code : 0, stdout, stderr });
    });
  });
}

/**
 * Starts a registry that packages can be published to.
 *
 * @param {{ after(ending: () => unknown): void }} t ends it
 */
async function startRegistry(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-registry-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const uplink = (await run('npm', ['config', 'get', 'registry'])).stdout.trim();
  // With the certificates that the one it gets from may need.
  const program = runProgram(t, 'registry.js', { folder, uplink }, { env: process.env });
  const { port } = await program.nextLine();
  const url = `http://127.0.0.1:${port}/`;

  const answer = await fetch(`${url}-/user/org.couchdb.user:ada`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: 'ada', password: 'lovelace' }),
  });
  const { token } = await answer.json();
  const env = {
    ...process.env,
    [`npm_config_//127.0.0.1:${port}/:_authToken`]: token,
    npm_config_update_notifier: 'false',
  };
  return {
    url,
    /** Runs one of the project's scripts as somebody who may publish there. */
    run: (script, ...args) =>
      run(process.execPath, [path.join('scripts', script), `--registry=${url}`, ...args], env),
    /** Publishes one tarball by npm itself. */
    publish: file => run('npm', ['publish', file, `--registry=${url}`], env),
    /** What is there of a package; undefined for nothing. */
    async lookUp(name) {
      const found = await fetch(url + name.replace('/', '%2f'));
      return found.ok ? found.json() : undefined;
    },
  };
}

module.exports = { startRegistry, needsRegistry: needs('verdaccio') };
