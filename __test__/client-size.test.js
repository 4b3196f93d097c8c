'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { it } = require('node:test');
const { gzipSync } = require('node:zlib');

it('the client is below 4 KB as it is sent to a page', t => {
  const { length } = gzipSync(fs.readFileSync(require.resolve('roomcast/client')));
  t.diagnostic(`${length} bytes`);
  assert.ok(length < 4096, `${length} bytes`);
});
