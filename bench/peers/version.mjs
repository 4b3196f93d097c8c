// Which of a package is installed here.

import { readFileSync } from 'node:fs';

export function versionOf(name) {
  const manifest = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(manifest)).version;
}
