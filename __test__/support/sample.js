'use strict';

const assert = require('node:assert/strict');

/**
 * The value of one sample in a hub's `metrics()`. It has to be there: a counter that nobody has
 * reached yet is 0.
 *
 * @param {import('../..').RoomWebSocketServer} hub
 * @param {string} name without the prefix, with its label: `refusals_total{reason="origin"}`
 */
function sampleOf(hub, name) {
  const start = `roomcast_${name} `;
  const text = hub.metrics();
  const line = text.split('\n').find(found => found.startsWith(start));
  assert.ok(line, `no ${name} in\n${text}`);
  return Number(line.slice(start.length));
}

module.exports = { sampleOf };
