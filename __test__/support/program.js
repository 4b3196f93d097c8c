'use strict';

const { spawn } = require('node:child_process');
const path = require('node:path');
const readline = require('node:readline');
const { Arrivals } = require('./queue');
const { failsafe } = require('./wait');

const directory = path.join(__dirname, 'programs');

/**
 * Runs one of `programs/` in a process of its own. Its standard output is lines of JSON, awaited
 * one by one.
 *
 * @param {import('node:test').TestContext} t ends the process where the test leaves it running
 * @param {string} name the file's
 * @param {object} [settings] handed over as JSON in the first argument
 * @param {{ descriptors?: number, runtime?: string[], env?: NodeJS.ProcessEnv }} [options] how many
 *   descriptors it may have, by the shell; what runs it, where that is not the Node of this process;
 *   its environment, where it is all of this one's
 */
function runProgram(t, name, settings = {}, options = {}) {
  const {
    descriptors,
    runtime = [process.execPath],
    // Node 24 reads that file on a thread of its own, which gives back a descriptor at any time.
    env = { ...process.env, NODE_EXTRA_CA_CERTS: undefined },
  } = options;
  const command = [...runtime, path.join(directory, name), JSON.stringify(settings)];
  if (descriptors) command.unshift('sh', '-c', 'ulimit -n "$0" && exec "$@"', String(descriptors));
  const child = spawn(command[0], command.slice(1), {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = new Arrivals();
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', text => {
    complaints += text;
  });
  readline
    .createInterface({ input: child.stdout })
    .on('line', line => lines.push(JSON.parse(line)));
  const exit = new Promise(resolve => {
    child.once('close', (code, signal) => {
      lines.end(`the program has ended with ${code ?? signal}: ${complaints}`);
      resolve({ code, signal, complaints });
    });
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exit;
  });
  return {
    /** The next line, parsed. */
    nextLine: () => lines.next(),
    /** `{ code, signal, complaints }` once the process has ended. */
    get exited() {
      return failsafe(
        exit,
        () => `the program's end; its lines: ${JSON.stringify(lines.all)} ${complaints}`,
      );
    },
  };
}

module.exports = { runProgram, directory };
