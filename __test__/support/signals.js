'use strict';

/** The options of a test that ends a process by a signal it listens for: Windows ends it at once. */
const needsSignals = { skip: process.platform === 'win32' && 'there are no signals' };

module.exports = { needsSignals };
