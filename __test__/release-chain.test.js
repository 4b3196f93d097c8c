'use strict';

// The whole way of a release: packed, published, installed from the registry by a bot that has the
// README's code. The other platforms' packages hold no addon here.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { it } = require('node:test');
const { targets } = require('../package.json').napi;
const { packOtherPlatforms, packRoomcast } = require('./support/packed');
const { startRegistry, needsRegistry } = require('./support/registry');

it('what is packed here can be published, installed and run', needsRegistry, async t => {
  const registry = await startRegistry(t);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-chain-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));

  const tarballs = await packRoomcast(folder);
  const dist = path.dirname(tarballs[0]);
  const others = await packOtherPlatforms(path.join(folder, 'others'), tarballs);
  for (const file of others) fs.copyFileSync(file, path.join(dist, path.basename(file)));

  const published = await registry.run('release-publish.mjs', `--from=${dist}`, '--no-provenance');
  assert.equal(published.status, 0, published.stdout + published.stderr);
  assert.equal(published.stdout.match(/^\+ /gm).length, targets.length + 1);

  const tried = await registry.run('release-try.mjs');
  assert.equal(tried.status, 0, tried.stdout + tried.stderr);
  t.diagnostic(tried.stdout.trim().split('\n').at(-1));
});
