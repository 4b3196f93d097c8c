import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTriple } from '@napi-rs/cli';
import { root } from '../run.mjs';

const { napi } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** What addons are built for, by package.json: `roomcast.<abi>.node` for each. */
export const targets = napi.targets.map(triple => {
  const target = parseTriple(triple);
  return {
    ...target,
    libc: target.abi,
    file: `${napi.binaryName}.${target.platformArchABI}.node`,
  };
});

/** The newest glibc that an addon may need. Also of the oldest systems that Node 20 itself runs on (2.28). */
export const OLDEST_GLIBC = '2.17';
