'use strict';

// The bot in small, as `npm start` runs it: a process of its own.

const { spawn } = require('node:child_process');
const path = require('node:path');
const readline = require('node:readline');
const { Arrivals } = require('./queue');
const { failsafe } = require('./wait');

const BOT = path.join(__dirname, '../../examples/bot/src/bot/core/bot.js');

/** What the bot reads of the environment: that of whoever runs the tests is not meant. */
const NEUTRAL = {
  DATABASE_URL: '',
  DATA_DIR: '',
  DRAIN_DELAY: '',
  NODE_ENV: '',
  REDIS_URL: '',
  SESSION_SECRET: '',
  SESSION_TTL: '',
  TRUST_PROXY: '',
};

/**
 * Starts the bot and waits for the address that it prints. It ends with the test.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {{ port?: number, env?: Record<string, string> }} [options]
 */
async function startBot(t, options) {
  const bot = launchBot(t, options);
  let address;
  while (!address) address = /http:\S+/.exec(await bot.nextLine())?.[0];
  return {
    ...bot,
    address,
    port: Number(new URL(address).port),
    url: `${address.replace('http:', 'ws:')}ws/rooms`,
    get: route => fetch(new URL(route, address)),
    post: (route, body) =>
      fetch(new URL(route, address), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

/** The same without waiting: for a bot that is not to come up. */
function launchBot(t, { port = 0, env } = {}) {
  const child = spawn(process.execPath, [BOT], {
    env: { ...process.env, ...NEUTRAL, HOST: '127.0.0.1', PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise(resolve => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const output = new Arrivals();
  const errors = [];
  readline.createInterface({ input: child.stdout }).on('line', line => output.push(line));
  readline.createInterface({ input: child.stderr }).on('line', line => errors.push(line));
  exited.then(end => {
    output.end(`the bot has ended with ${end.code ?? end.signal}: ${errors.join('\n')}`);
  });

  const clients = [];
  t.after(async () => {
    for (const client of clients) client.terminate();
    child.kill('SIGKILL');
    await exited;
  });

  return {
    clients,
    /** Lines on standard output so far. */
    output: output.all,
    /** Lines on standard error so far. */
    errors,
    nextLine: () => output.next(),
    kill: signal => child.kill(signal),
    exited: () => failsafe(exited, () => `the end of the bot; it said ${errors.join('\n')}`),
  };
}

module.exports = { launchBot, startBot };
