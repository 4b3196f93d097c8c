// What a result was measured on.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { redisVersion } from './redis.mjs';

/** How many descriptors a process may have here. */
export function descriptors() {
  const limits = readFileSync('/proc/self/limits', 'utf8');
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(limits)[1];
  return hard === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(hard);
}

export function machine() {
  const cpus = os.cpus();
  return {
    cpu: cpus[0].model.trim(),
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release().split('-')[0]}`,
    descriptors: descriptors(),
    node: process.version,
    rust: execFileSync('rustc', ['--version'], { encoding: 'utf8' }).split(' ')[1],
    redis: redisVersion(),
  };
}
