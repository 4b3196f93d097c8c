// The bot's work where as much is to go through as can: as long as fewer than a window of its
// updates are on their way, it sends. How far they have come the driver tells it, over a connection
// of their own.

import { once } from 'node:events';
import net from 'node:net';
import { createInterface } from 'node:readline';
import { stamp } from './load.mjs';

const MAX = 1_000_000_000;
let server;
/** Updates that are behind their clients, since the driver began to count. */
let passed = 0;
let progressed = () => {};

/** The port on which the driver tells. */
export async function flowPort() {
  if (!server) {
    server = net.createServer(hear).listen(0, '127.0.0.1');
    await once(server, 'listening');
  }
  return server.address().port;
}

function hear(driver) {
  passed = 0;
  driver.on('error', () => {});
  createInterface({ input: driver }).on('line', line => {
    passed = Number(line);
    progressed();
  });
}

/**
 * Sends for so many `seconds` to rooms 1 to `rooms` in turn. Returns how many updates that were:
 * every room has had as many, and each of its updates counts one more than that before.
 */
export async function flow({ rooms, window, seconds }, broadcast) {
  const end = performance.now() + seconds * 1e3;
  let updates = 0;
  const send = () => {
    const current = 1 + Math.floor(updates / rooms);
    broadcast(1 + (updates % rooms), String(stamp()), current, MAX);
    updates++;
  };
  await new Promise(resolve => {
    progressed = () => {
      while (updates - passed < window && performance.now() < end) send();
      if (performance.now() >= end) resolve();
    };
    progressed();
    // Where nothing has come for so long.
    setTimeout(progressed, seconds * 1e3 + 1);
  });
  progressed = () => {};
  while (updates % rooms !== 0) send();
  return updates;
}
