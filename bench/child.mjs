// A process that is steered by JSON lines: one object asked, one answered.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export class Child {
  #process;
  #waiting = [];
  #ended;

  /** Starts it; `hello` of the result is the first line that it says. */
  static async start(command) {
    const child = new Child();
    const hello = child.#next();
    const [file, ...args] = command;
    child.#process = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.#process.once('error', error => child.#fail(error));
    child.#process.once('exit', (code, signal) =>
      child.#fail(new Error(`${file} ended (${signal ?? code})`)),
    );
    child.#process.stdin.on('error', () => {});
    createInterface({ input: child.#process.stdout }).on('line', line =>
      child.#waiting.shift()?.resolve(JSON.parse(line)),
    );
    child.hello = await hello;
    return child;
  }

  get pid() {
    return this.#process.pid;
  }

  /** The answer to a command. */
  async ask(cmd, fields = {}) {
    if (this.#ended) throw this.#ended;
    const answer = this.#next();
    this.#process.stdin.write(`${JSON.stringify({ cmd, ...fields })}\n`);
    const said = await answer;
    if (said.error) throw new Error(said.error);
    return said;
  }

  /** Ends it, and waits until it has. */
  async end() {
    if (this.#ended) return;
    const exit = once(this.#process, 'exit');
    this.#process.stdin.end();
    const late = setTimeout(() => this.#process.kill('SIGKILL'), 5_000);
    await exit;
    clearTimeout(late);
  }

  #next() {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #fail(error) {
    this.#ended = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
