'use strict';

// The same names for `import` as for `require`, and the same things behind them.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { runProgram } = require('./support/program');

const NAMES = [
  'broadcastRoomUpdate',
  'roomWebSocketService',
  'sessionAuthenticator',
  'setupRoomWebSocketServer',
];

describe('the package', () => {
  it('gives the same to require and import', async () => {
    const required = require('roomcast');
    const imported = await import('roomcast');
    for (const name of NAMES) assert.ok(required[name], name);
    for (const name of Object.keys(required)) assert.equal(imported[name], required[name], name);
  });

  it('is required by its path, too', () => {
    assert.equal(require('..'), require('roomcast'));
  });

  it('works in a bot that is an ES module', async t => {
    const program = runProgram(t, 'module-bot.mjs');
    assert.deepEqual(await program.nextLine(), { handedOver: true, closed: true });
    const { code, complaints } = await program.exited;
    assert.equal(code, 0, complaints);
  });
});
