'use strict';

// The bot in small, as `npm start` runs it: a process of its own.

const { spawn } = require('node:child_process');
const path = require('node:path');
const readline = require('node:readline');
const { Arrivals } = require('./queue');
const { failsafe } = require('./wait');

const BOT = path.join(__dirname, '../../examples/bot/src/bot/core/bot.js');

/**
 * Starts the bot and waits for the address that it prints. It ends with the test.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {{ port?: number, env?: Record<string, string> }} [options]
 */
async function startBot(t, { port = 0, env } = {}) {
  const child = spawn(process.execPath, [BOT], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise(resolve => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const output = new Arrivals();
  readline.createInterface({ input: child.stdout }).on('line', line => output.push(line));
  exited.then(end => output.end(`the bot has ended with ${end.code ?? end.signal}`));

  const clients = [];
  t.after(async () => {
    for (const client of clients) client.terminate();
    child.kill('SIGKILL');
    await exited;
  });

  let address;
  while (!address) address = /http:\S+/.exec(await output.next())?.[0];
  return {
    address,
    clients,
    url: `${address.replace('http:', 'ws:')}ws/rooms`,
    output: output.all,
    kill: signal => child.kill(signal),
    exited: () => failsafe(exited, () => 'the end of the bot'),
    get: route => fetch(new URL(route, address)),
    post: (route, body) =>
      fetch(new URL(route, address), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

module.exports = { startBot };
