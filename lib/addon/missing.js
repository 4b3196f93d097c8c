'use strict';

// Why the package for a platform is not there.

const fs = require('node:fs');
const path = require('node:path');
const { ABIS, abiOf } = require('./host.js');

const BUILD = '`npm ci && npm run build`, which needs Rust (https://rustup.rs)';

/**
 * @param {import('./host.js').Host} host
 * @param {string} name the package's
 * @param {string} root roomcast's folder
 * @returns {{ why: string, cure: string }}
 */
function explainMissing(host, name, root) {
  const abi = abiOf(host);
  if (fs.existsSync(path.join(root, 'Cargo.toml'))) {
    return { why: 'it is not built yet', cure: `Build it in ${root}: ${BUILD}.` };
  }
  if (!ABIS.includes(abi)) {
    return {
      why: 'roomcast is not published for this platform',
      cure: `It is for ${ABIS.join(', ')}. Elsewhere it takes roomcast's sources and ${BUILD}.`,
    };
  }
  const found = ABIS.map(other => name.replace(abi, other)).filter(isInstalled);
  if (found.length > 0) return explainOthers(host, name, found);
  return lockLacks(name, root) ? explainLock(name) : explainNone(name);
}

function isInstalled(name) {
  try {
    require.resolve(`${name}/package.json`);
    return true;
  } catch {
    return false;
  }
}

/** node_modules was made for something else. */
function explainOthers({ platform, arch, libc }, name, found) {
  const there = `${found.join(', ')} ${found.length > 1 ? 'are' : 'is'} there, ${name} is not`;
  if (libc) {
    const other = libc === 'musl' ? 'gnu' : 'musl';
    if (found.includes(name.replace(libc, other))) {
      return {
        why: `this Node runs on ${LIBRARY[libc]}, and node_modules was made for ${LIBRARY[other]}: ${there}`,
        cure:
          'Alpine has musl, most other systems glibc. Where node_modules was copied into a Docker ' +
          'image: list it in .dockerignore, and run `npm ci` in the image, or in a stage of the same system.',
      };
    }
  }
  const options = `--os=${platform} --cpu=${arch}${libc ? ` --libc=${LIBRARY[libc]}` : ''}`;
  return {
    why: `node_modules was made on another platform: ${there}`,
    cure: `Remove node_modules and run \`npm ci\` here, or where it is made: \`npm ci ${options}\`.`,
  };
}

/** As npm calls them. */
const LIBRARY = { gnu: 'glibc', musl: 'musl' };

function explainLock(name) {
  return {
    why: `package-lock.json has roomcast without ${name}`,
    cure:
      'npm before version 11 writes such a lock file where node_modules is there and it is not ' +
      '(https://github.com/npm/cli/issues/4828). Remove both, and run `npm install`.',
  };
}

function explainNone(name) {
  return {
    why: `${name} is not installed`,
    cure:
      'It is an optional dependency, and those were left out: by `--omit=optional` (in .npmrc ' +
      '`omit`, in the environment `npm_config_omit`), `--no-optional` (pnpm), `--ignore-optional` ' +
      '(Yarn 1), or `supportedArchitectures` (pnpm, Yarn). With npm: `npm install --include=optional`.',
  };
}

/**
 * Whether the project's package-lock.json has roomcast, but not this package. pnpm and Yarn have
 * lock files of their own, with all platforms.
 */
function lockLacks(name, root) {
  if (path.basename(path.dirname(root)) !== 'node_modules') return false;
  try {
    const file = path.join(root, '../../package-lock.json');
    const paths = Object.keys(JSON.parse(fs.readFileSync(file, 'utf8')).packages);
    const has = wanted => paths.some(one => one.endsWith(`node_modules/${wanted}`));
    return has('roomcast') && !has(name);
  } catch {
    return false;
  }
}

module.exports = { explainMissing };
