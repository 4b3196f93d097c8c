// The Redis between the processes of a cluster: a server of the measurement's own, empty at its
// start, that keeps nothing.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from '../__test__/support/redis.js';

/** What version is installed; undefined for none. */
export function redisVersion() {
  try {
    return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))[1];
  } catch {
    return undefined;
  }
}

/** Resolves with `{ url, pid, stop }` once it answers. */
export async function startRedis() {
  const directory = mkdtempSync(join(tmpdir(), 'roomcast-bench-'));
  const redis = new Redis(directory, {});
  const stop = async () => {
    await redis.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await redis.startAnywhere();
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: redis.url, pid: redis.pid, stop };
}
