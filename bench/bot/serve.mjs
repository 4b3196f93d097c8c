// A peer's bot under the conductor: one JSON object a line, commands on stdin, one answer each on
// stdout.

import { createInterface } from 'node:readline';
import { flow, flowPort } from './flow.mjs';
import { run } from './load.mjs';
import { unwatch, watch } from './stall.mjs';
import { unusedHeap } from './unused.mjs';

const say = answer => process.stdout.write(`${JSON.stringify(answer)}\n`);

/**
 * Serves until the conductor is gone. `broadcast(roomId, name, current, max)` is what is measured.
 */
export function serve({ port, version, broadcast }) {
  const commands = {
    run: async command => ({ calls: await run(command, broadcast) }),
    flowPort: async () => ({ port: await flowPort() }),
    flow: async command => ({ updates: await flow(command, broadcast) }),
    watch: () => watch() ?? {},
    unwatch: () => ({ stallMs: unwatch() }),
    unused: async () => ({ bytes: await unusedHeap() }),
  };
  createInterface({ input: process.stdin })
    .on('line', async line => {
      const command = JSON.parse(line);
      say(await commands[command.cmd](command));
    })
    .on('close', () => process.exit(0));
  say({ port, version });
}
