'use strict';

const { spawn } = require('node:child_process');
const { failsafe } = require('./wait');

/**
 * Runs a script by the Node of this process, to its end.
 *
 * @param {import('node:test').TestContext} t ends it where the test leaves it running
 * @param {string[]} args the script's file, and what it is given
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number | null, signal: string | null, output: string }>} `output` is what
 *   it has printed on both streams
 */
function runToEnd(t, args, options) {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text;
    });
  }
  const ended = new Promise(resolve => {
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return failsafe(ended, () => `${args[0]} to end by itself:\n${output}`);
}

module.exports = { runToEnd };
