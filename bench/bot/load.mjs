// The bot's work: updates, each when it is due, and how long each call kept the bot.

import { monotonic } from './clock.mjs';

let latest = 0n;
/** The time, ever growing, so that a client can tell two updates apart by it. */
export function stamp() {
  const now = monotonic();
  latest = now > latest ? now : latest + 1n;
  return latest;
}

/**
 * Sends `updates` updates, `intervalMs` apart (0: as fast as the calls return), to rooms 1 to
 * `rooms` in turn. Returns the wall time of every call in nanoseconds. `idle`: all of that, but for
 * the update itself.
 */
export async function run({ rooms = 1, updates = 1, intervalMs = 0, idle = false }, broadcast) {
  const send = idle ? () => {} : broadcast;
  const calls = new Array(updates).fill(0);
  const call = index => {
    const name = String(stamp());
    const before = process.hrtime.bigint();
    send(1 + (index % rooms), name, 25, 50);
    calls[index] = Number(process.hrtime.bigint() - before);
  };
  if (intervalMs === 0) {
    for (let index = 0; index < updates; index++) call(index);
    return calls;
  }
  const start = performance.now();
  let index = 0;
  await new Promise(resolve => {
    const next = () => {
      const elapsed = performance.now() - start;
      while (index < updates && index * intervalMs <= elapsed) call(index++);
      if (index === updates) resolve();
      else setTimeout(next, index * intervalMs - elapsed);
    };
    next();
  });
  return calls;
}
