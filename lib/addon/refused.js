'use strict';

// Why an addon's file does not load. The system's dynamic loader tells it in words alone; those of
// Linux are explained here, others are passed on.

const fs = require('node:fs');
const path = require('node:path');
const { platformOf } = require('./binary.js');
const { abiOf, glibcVersion } = require('./host.js');

/** Where a file comes from says what to do about it. */
const AGAIN = {
  named: 'Let NAPI_RS_NATIVE_LIBRARY_PATH name an addon for this platform, or unset it.',
  built: 'Build it here: `npm run build`.',
  installed: 'Remove node_modules and run `npm ci`.',
};

/** What glibc's and musl's loaders say, and what is behind it. */
const REASONS = [
  {
    says: /version `GLIBC_([\d.]+)' not found/,
    why: ([, needed]) => `it needs glibc ${needed}, and this system has ${glibcVersion()}`,
    cure: () =>
      'It was built on a newer system than this. Build it here, or on the oldest of your systems; ' +
      'the published ones need no newer glibc than Node does.',
  },
  {
    says: /failed to map segment|Operation not permitted/,
    why: () => 'the system lets no code be loaded from where it is',
    cure: file =>
      `Is ${path.dirname(file)} on a file system that is mounted with \`noexec\`, or under a policy ` +
      '(SELinux, AppArmor) that forbids it? Install elsewhere, or allow it.',
  },
  {
    says: /Permission denied/,
    why: () => 'this user may not read it',
    cure: () => 'Install as the user that runs the bot, or give it the right to read node_modules.',
  },
  {
    on: 'gnu',
    says: /(?:libc\.|ld-)musl-/,
    why: () => 'it is made for musl, and this Node runs on glibc',
  },
  {
    on: 'musl',
    says: /ld-linux-|libc\.so\.6/,
    why: () => 'it is made for glibc, and this Node runs on musl',
  },
  {
    says: /^(?:Error loading shared library )?([^/:\s]+): (?:cannot open shared object file: )?No such file/,
    why: ([, library]) => `it needs ${library}, which this system does not have`,
    cure: () => "Install the system's package that has this library.",
  },
];

/**
 * @param {import('./host.js').Host} host
 * @param {string} file
 * @param {'named' | 'built' | 'installed'} origin
 * @param {Error} cause What loading it threw.
 * @returns {{ why: string, cure: string }}
 */
function explainRefusal(host, file, origin, cause) {
  const { why, cure = AGAIN[origin] } = reasonOf(host, file, origin, cause.message);
  return { why: `${file} does not load: ${why}`, cure };
}

function reasonOf(host, file, origin, message) {
  if (!fs.existsSync(file)) {
    if (origin !== 'installed') return { why: 'it is not there' };
    return {
      why: 'it is not there, though its package is',
      cure: `Whatever copies or cleans node_modules has to leave its .node files. ${AGAIN[origin]}`,
    };
  }
  for (const { on = host.libc, says, why, cure } of REASONS) {
    const match = on === host.libc && says.exec(message);
    if (match) return { why: why(match), cure: cure?.(file) };
  }
  // Last, since it takes a file that may be read.
  const platform = platformOf(file);
  if (platform === undefined) return { why: 'it is damaged, or no addon' };
  if (!abiOf(host).startsWith(platform)) return { why: `it is made for ${platform}` };
  return { why: message.replace(`${file}: `, '').replace(/\.$/, '') };
}

module.exports = { explainRefusal };
