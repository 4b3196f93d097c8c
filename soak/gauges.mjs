// What the bot's process holds of the system, read from outside of it.

import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { resident } from '../bench/process.mjs';

/** Of the start, less what V8 holds unused: allocators keep some of what they had. */
const BACK = 1.2;
/** Of the second before: nothing comes back any more. */
const STILL = 0.99;
const PATIENCE_MS = 60_000;
const PERIOD_MS = 1_000;

/** `{ rss, used, descriptors, threads }`; `used` is the memory less what V8 holds unused, in bytes. */
export async function gauge(bot) {
  const { bytes } = await bot.ask('unused');
  const count = of => readdirSync(`/proc/${bot.pid}/${of}`).length;
  const rss = resident(bot.pid);
  return { rss, used: rss - bytes, descriptors: count('fd'), threads: count('task') };
}

/** What has not been given back, in words; undefined: nothing. */
export function kept(now, start) {
  if (now.descriptors > start.descriptors) return 'descriptors';
  if (now.threads > start.threads) return 'threads';
  return now.used > BACK * start.used ? 'memory' : undefined;
}

/** The gauges once all is given back and no more comes back, or when it has not been for a minute. */
export async function settled(bot, start) {
  let before;
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(PERIOD_MS)) {
    const now = await gauge(bot);
    const isStill = before !== undefined && now.used > STILL * before.used;
    if ((isStill && kept(now, start) === undefined) || Date.now() > end) return now;
    before = now;
  }
}

/** What the hub still has of clients that are gone, in words; waits for it to have nothing. */
export async function remains(bot) {
  for (const end = Date.now() + PATIENCE_MS; ; await sleep(PERIOD_MS)) {
    const { left } = await bot.ask('figures');
    const held = Object.entries(left).filter(([, count]) => count !== 0);
    if (held.length === 0 || Date.now() > end) {
      return held.map(([what, count]) => `${what}: ${count}`).join(', ');
    }
  }
}
