// What the system says of a process, read from outside of it.

import { readdirSync, readFileSync } from 'node:fs';

const spent = path => Number(readFileSync(path, 'utf8').split(' ', 1)[0]);

/** Nanoseconds of CPU that a process has used: all its threads, and its first one alone. */
export function cpu(pid) {
  const tasks = `/proc/${pid}/task`;
  let all = 0;
  for (const task of readdirSync(tasks)) {
    try {
      all += spent(`${tasks}/${task}/schedstat`);
    } catch (error) {
      // A thread that ended meanwhile.
      if (error.code !== 'ENOENT' && error.code !== 'ESRCH') throw error;
    }
  }
  return { all, main: spent(`${tasks}/${pid}/schedstat`) };
}

/** Nanoseconds of CPU of the threads of that name; undefined where there are none. */
export function threadCpu(pid, name) {
  const tasks = `/proc/${pid}/task`;
  const named = readdirSync(tasks).filter(
    task => readFileSync(`${tasks}/${task}/comm`, 'utf8').trimEnd() === name,
  );
  if (named.length === 0) return undefined;
  return named.reduce((sum, task) => sum + spent(`${tasks}/${task}/schedstat`), 0);
}

/** Bytes of memory that a process has in RAM, exactly (the number in `stat` is batched per CPU). */
export function resident(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Rss:\s+(\d+) kB$/m.exec(rollup)[1]) * 1024;
}

const TICK_NS = 1e7;

/** Nanoseconds of CPU that the whole machine has been busy, and the number of its cores. */
function busy() {
  const stat = readFileSync('/proc/stat', 'utf8');
  const [user, nice, system, , , irq, softirq, steal] = stat.split('\n', 1)[0].match(/\d+/g);
  const ticks = [user, nice, system, irq, softirq, steal].reduce(
    (sum, one) => sum + Number(one),
    0,
  );
  return { ns: ticks * TICK_NS, cores: stat.match(/^cpu\d/gm).length };
}

/** The share of the machine, in percent, that none of these processes had during `work`. */
export async function shareOfOthers(pids, work) {
  const ours = () => pids.reduce((sum, pid) => sum + cpu(pid).all, 0);
  const before = { ...busy(), ours: ours(), at: performance.now() };
  await work();
  const after = { ...busy(), ours: ours(), at: performance.now() };
  const there = (after.at - before.at) * 1e6 * after.cores;
  return Math.max(0, (100 * (after.ns - before.ns - (after.ours - before.ours))) / there);
}
