'use strict';

// The document on platforms has the words that the errors have.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { it } = require('node:test');
const { ABIS } = require('../lib/addon/host');

const root = path.join(__dirname, '..');
const document = fs.readFileSync(path.join(root, 'docs/platforms.md'), 'utf8');

/** A text with nothing in it that depends on where it is said. */
const general = text => text.replace(/\$\{[^}]*\}/g, '…').replace(/\b(?:musl|glibc)\b/g, '…');

const sources = fs
  .readdirSync(path.join(root, 'lib/addon'))
  .map(name => general(fs.readFileSync(path.join(root, 'lib/addon', name), 'utf8')))
  .join('\n');

it('every message in the table is one of the code', t => {
  const [, table] = document.split('| the message says |');
  const messages = [...table.split('\n\n')[0].matchAll(/^\| `([^`]+)`/gm)].map(match => match[1]);
  t.diagnostic(`${messages.length} messages`);
  assert.ok(messages.length > 9);
  for (const message of messages) {
    for (const part of general(message).split(/: ?/).filter(Boolean)) {
      assert.ok(sources.includes(part), `'${part}' of '${message}'`);
    }
  }
});

it('every platform is in the table of packages', () => {
  const packages = [...document.matchAll(/^\| `@roomcast\/binding-([^`]+)`/gm)];
  assert.deepEqual(
    packages.map(match => match[1]),
    ABIS,
  );
});
