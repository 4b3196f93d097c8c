'use strict';

// docs/platforms.md: a bot in Bun.

const { describeRuntime } = require('./support/runtime');

describeRuntime('bun', bun => [bun]);
