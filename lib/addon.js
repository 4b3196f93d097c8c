'use strict';

// The addon, and the only place that it comes from. How it is found: addon/load.js.

const { loadAddon } = require('./addon/load.js');

/** @type {typeof import('../binding.js')} */
module.exports = loadAddon();
