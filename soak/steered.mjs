// A process of the soak under its conductor (../bench/child.mjs): one JSON object a line, commands
// on stdin, one answer each, in their order, on stdout.

import { createInterface } from 'node:readline';

const say = answer => process.stdout.write(`${JSON.stringify(answer)}\n`);

/** What the conductor started this process with. */
export const settings = JSON.parse(process.argv[2]);

/** Answers until the conductor is gone. */
export function serve(commands, hello = {}) {
  let turn = Promise.resolve();
  createInterface({ input: process.stdin })
    .on('line', line => {
      const { cmd, ...fields } = JSON.parse(line);
      turn = turn
        .then(() => commands[cmd](fields))
        .then(
          answer => say(answer ?? {}),
          error => say({ error: error.stack }),
        );
    })
    .on('close', () => process.exit(0));
  // A terminal's Ctrl-C goes to every process that it runs; the conductor decides what it means.
  process.on('SIGINT', () => {});
  say(hello);
}
