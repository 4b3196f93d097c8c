// The command line.

import { parseArgs } from 'node:util';

export const FORMS = ['http', 'standalone', 'https'];

export const USAGE = `npm run soak -- [options]
  --minutes N    how long clients are there (10)
  --clients N    how many at a time, hostile ones aside (400)
  --form F       how they reach the hub: http (attached), standalone, https (relayed) (http)
  --seed N       repeats the decisions of a run, though not its timing (any)`;

/** Throws, with what is wrong, where the command line is. */
export function parse(args) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '10' },
      clients: { type: 'string', default: '400' },
      form: { type: 'string', default: 'http' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { form, help } = values;
  const minutes = Number(values.minutes);
  const clients = Number(values.clients);
  const seed = Number(values.seed);
  if (!(minutes >= 0.1)) throw new Error('--minutes wants a number from 0.1 on');
  if (!Number.isInteger(clients) || clients < 20) {
    throw new Error('--clients wants an integer from 20 on');
  }
  if (!FORMS.includes(form)) throw new Error(`--form wants one of ${FORMS.join(', ')}`);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new Error('--seed wants an integer from 0 to 4294967295');
  }
  return { minutes, clients, form, seed, help };
}
