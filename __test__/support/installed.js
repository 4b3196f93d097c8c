'use strict';

// Whether this machine has what a test starts: such a test is skipped, and says so, where it has not.
// ROOMCAST_REQUIRE_ALL lets no test be skipped: it fails instead for what is not there.

const { execFileSync } = require('node:child_process');

/** What a command says of its version; undefined where there is no such command. */
function versionOf(command, option = '--version') {
  try {
    return execFileSync(command, [option], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return undefined;
  }
}

/** The `skip` of a test: what to say where `isThere()` is false, otherwise false. */
const unless = (isThere, what) =>
  !process.env.ROOMCAST_REQUIRE_ALL && !isThere() && `${what} not installed`;

module.exports = { unless, versionOf };
