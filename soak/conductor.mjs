// A run: the bot with the hub, processes of clients before it, and what is done to them.

import { setTimeout as sleep } from 'node:timers/promises';
import { gauge, remains, settled } from './gauges.mjs';
import { end, Group, program, start } from './group.mjs';
import { randomOf } from './random.mjs';
import { Tally } from './tally.mjs';

/** What a process takes once and keeps (compiled code, buffers, pools) is taken by then. */
const WARM_UP = 0.1;
const MOST_WARM_UP_MS = 60_000;
const PROGRESS_MS = 30_000;
const HOSTILE = 8;

/** Shares of the clients: those whose process is killed, and those that stop reading. */
const KILLED = 0.15;
const STALLING = 0.06;

/**
 * @param {object} options See options.mjs.
 * @param {(line: string) => void} tell Takes a line of progress now and then.
 * @param {AbortSignal} stop Ends the run early, and cleanly.
 */
export async function conduct(options, tell, stop) {
  const { form, seed, minutes } = options;
  const all = minutes * 60_000;
  const warmUp = Math.min(WARM_UP * all, MOST_WARM_UP_MS);
  const tally = new Tally();
  const begun = performance.now();

  const bot = await start(program('bot.mjs', { form, seed }, '--expose-gc'));
  const soak = { bot, options, stop, tally, tell };
  const fresh = await gauge(bot);
  await round(soak, warmUp, 'warming up');
  const left = [await remains(bot)];
  const before = await gauge(bot);
  await round(soak, all - warmUp, 'soaking');
  left.push(await remains(bot));
  const after = await settled(bot, before);
  const { tally: own, ...figures } = await bot.ask('figures');
  await end(bot);

  return {
    options,
    seconds: (performance.now() - begun) / 1e3,
    figures,
    tally: tally.add(own),
    gauges: { fresh, before, after },
    left: left.filter(Boolean).join('; '),
  };
}

/** Clients come, live through it all for a time, are checked, and go. */
async function round({ bot, options, stop, tally, tell }, ms, title) {
  const groups = groupsOf(options, bot.hello.port);
  const { crowds, hostile, victims, stallers } = groups;
  const random = randomOf(options.seed);
  const over = new AbortController();
  const pause = (min, max) => rest(random.integer(min, max), over.signal);

  await Promise.all([...crowds, hostile].map(group => group.run()));
  await bot.ask('run');
  const faults = [
    repeat(over.signal, async () => {
      await pause(5_000, 20_000);
      if (over.signal.aborted) return;
      await victims.replace();
      tally.inject('client processes killed (SIGKILL)');
    }),
    repeat(over.signal, async () => {
      await pause(5_000, 20_000);
      if (over.signal.aborted) return;
      await stallers.stop(() => pause(1_000, 12_000));
      tally.inject('client processes stopped for a while (SIGSTOP)');
    }),
  ];
  const progress = repeat(over.signal, async () => {
    await rest(PROGRESS_MS, over.signal);
    tell(`${title}: ${await state(bot, [...crowds, hostile])}`);
  });

  await rest(ms, stop);
  over.abort();
  await Promise.all([...faults, progress]);
  await bot.ask('calm');
  await Promise.all([...crowds, hostile].map(group => group.ask('calm')));
  const { books } = await bot.ask('finish');
  await Promise.all(crowds.map(crowd => crowd.ask('check', { books })));
  await Promise.all(crowds.map(crowd => crowd.ask('leave')));
  for (const group of [...crowds, hostile]) {
    await group.end();
    tally.add(await group.tally());
  }
}

function groupsOf({ clients, form, seed }, port) {
  const common = { form, port };
  const killed = Math.ceil(KILLED * clients);
  const stalling = Math.ceil(STALLING * clients);
  const crowd = (name, kind, count, at) =>
    new Group('crowd.mjs', { ...common, name, kind, clients: count, seed: seed + at });
  const readers = crowd('reader', 'readers', clients - killed - stalling, 1_000);
  const victims = crowd('victim', 'readers', killed, 2_000);
  const stallers = crowd('staller', 'stallers', stalling, 3_000);
  const hostile = new Group('hostile.mjs', {
    ...common,
    name: 'hostile',
    clients: HOSTILE,
    seed: seed + 4_000,
  });
  return { crowds: [readers, victims, stallers], victims, stallers, hostile };
}

async function state(bot, groups) {
  const { served, sent, open, left } = await bot.ask('figures');
  const sum = new Tally();
  for (const group of groups) sum.add(await group.tally());
  const wrong = Object.values(sum.wrong).reduce((all, { count }) => all + count, 0);
  return [
    `${open} clients, ${served} served`,
    `${sent} updates, ${sum.delivered} delivered, ${sum.missing} missing`,
    `${left.slowClients} slow, ${wrong} wrong`,
  ].join('; ');
}

async function repeat(signal, act) {
  while (!signal.aborted) await act();
}

function rest(ms, signal) {
  return sleep(ms, undefined, { signal }).catch(() => {});
}
