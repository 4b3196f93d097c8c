// The bot's hooks: they take their time, as databases do, and fail now and then.

import { setTimeout as sleep } from 'node:timers/promises';

const SLOWEST_MS = 30;

/** Hostile clients are to be judged by what they do, not by the hooks' own faults. */
export const isHostile = userId => userId?.startsWith('hostile') === true;

export function hooksOf(random, inject) {
  let failing = false;

  async function take(hook, oneIn, userId) {
    await sleep(random.integer(0, SLOWEST_MS));
    if (!failing || isHostile(userId) || !random.oneIn(oneIn)) return;
    inject(`${hook} that fails`);
    throw new Error('a fault of the soak');
  }

  return {
    async authenticate(request) {
      const userId = new URL(request.url, 'http://bot').searchParams.get('userId');
      await take('authenticate', 200, userId);
      return userId;
    },
    async authorizeJoin(client) {
      await take('authorizeJoin', 500, client.userId);
      return true;
    },
    failNowAndThen(now) {
      failing = now;
    },
  };
}
