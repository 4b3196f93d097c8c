// A process of clients as the conductor sees it: it can be stopped, killed and replaced, and what it
// has counted is not lost with it.

import { fileURLToPath } from 'node:url';
import { Child } from '../bench/child.mjs';
import { Tally } from './tally.mjs';

const path = relative => fileURLToPath(new URL(relative, import.meta.url));

export const program = (file, settings, ...flags) => [
  process.execPath,
  ...flags,
  path(file),
  JSON.stringify(settings),
];

/** Every process that runs; none outlives the conductor, stopped ones included. */
const running = new Set();
process.on('exit', () => {
  for (const child of running) kill(child, 'SIGKILL');
});

export async function start(command) {
  const child = await Child.start(command);
  running.add(child);
  return child;
}

export async function end(child) {
  await child.end();
  running.delete(child);
}

function kill(child, signal) {
  try {
    process.kill(child.pid, signal);
  } catch {
    // It is gone already.
  }
}

export class Group {
  #file;
  #settings;
  #generation = 0;
  #child;
  #past = new Tally();
  #turn = Promise.resolve();

  constructor(file, settings) {
    this.#file = file;
    this.#settings = settings;
  }

  run() {
    return this.#alone(() => this.#start());
  }

  ask(cmd, fields) {
    return this.#alone(() => this.#child.ask(cmd, fields));
  }

  /** Everything counted so far. */
  tally() {
    return this.#alone(() => this.#count());
  }

  /** SIGKILL: the system closes its sockets, with whatever lies unread in them. Another one follows. */
  replace() {
    return this.#alone(async () => {
      this.#past = await this.#count();
      kill(this.#child, 'SIGKILL');
      await end(this.#child);
      await this.#start();
    });
  }

  /** SIGSTOP for a while: the system keeps its sockets open and takes what they hold. */
  stop(pause) {
    return this.#alone(async () => {
      await this.#child.ask('expectStop');
      kill(this.#child, 'SIGSTOP');
      await pause();
      kill(this.#child, 'SIGCONT');
      await this.#child.ask('goOn');
    });
  }

  end() {
    return this.#alone(async () => {
      this.#past = await this.#count();
      await end(this.#child);
      this.#child = undefined;
    });
  }

  async #start() {
    const { name, seed } = this.#settings;
    const generation = ++this.#generation;
    const settings = {
      ...this.#settings,
      name: `${name} ${generation}`,
      seed: (seed + generation) % 2 ** 32,
    };
    this.#child = await start(program(this.#file, settings));
    await this.#child.ask('run');
  }

  async #count() {
    const counted = new Tally().add(this.#past);
    return this.#child ? counted.add(await this.#child.ask('tally')) : counted;
  }

  /** One thing after another: a process that is being stopped or replaced answers nothing. */
  #alone(act) {
    const done = this.#turn.then(act);
    this.#turn = done.catch(() => {});
    return done;
  }
}
