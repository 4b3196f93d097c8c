'use strict';

// The systemd unit of docs/deploy.md, as systemd itself reads it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const { unless, versionOf } = require('./support/installed');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { substitute } = require('./support/nginx');

const document = path.join(__dirname, '../docs/deploy.md');
const unit = codeUnder(codeBlocks(document), 'systemd', 'ini');
const needsSystemd = {
  skip: unless(() => versionOf('systemd-analyze') !== undefined, 'systemd-analyze is'),
};

/** Where they are is the machine's own affair; systemd looks whether they are there. */
const PROGRAMS = [
  ['ExecStart=/usr/bin/node ', `ExecStart=${process.execPath} `],
  ['ExecStartPost=/usr/bin/curl ', `ExecStartPost=${process.execPath} `],
];

/** Runs systemd-analyze on a unit, as an instance of the template. */
function analyze(t, text, ...command) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-unit-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, 'bot@.service');
  fs.writeFileSync(file, text);
  const [name, ...options] = command;
  return spawnSync('systemd-analyze', [name, ...options, file], { encoding: 'utf8' });
}

describe('the unit', needsSystemd, () => {
  it('has nothing that systemd does not know', t => {
    const { status, stderr } = analyze(t, substitute(unit, PROGRAMS), 'verify', '--man=no');
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });

  it('is one of which systemd would say so', t => {
    const misspelt = substitute(unit, [...PROGRAMS, ['LimitNOFILE=', 'LimitNOFILES=']]);
    assert.match(analyze(t, misspelt, 'verify', '--man=no').stderr, /LimitNOFILES/);
  });

  it('takes from the bot what it has no use for', t => {
    const { status, stdout } = analyze(t, unit, 'security', '--offline=true', '--threshold=20');
    assert.equal(status, 0, stdout);
  });
});
