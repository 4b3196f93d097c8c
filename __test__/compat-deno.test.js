'use strict';

// docs/platforms.md: a bot in Deno, with the permissions that are named there.

const { describeRuntime } = require('./support/runtime');

const PERMISSIONS = ['--allow-ffi', '--allow-read', '--allow-env', '--allow-sys', '--allow-net'];

describeRuntime('deno', deno => [deno, 'run', '--no-prompt', ...PERMISSIONS]);
