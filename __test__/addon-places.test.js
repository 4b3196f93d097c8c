'use strict';

// Where the addon comes from: the first place that has one counts.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { it } = require('node:test');
const { abiOf, thisHost } = require('../lib/addon/host');
const { addonFile, layProject } = require('./support/package');

const addon = addonFile();
const abi = abiOf(thisHost());
const VARIABLE = 'NAPI_RS_NATIVE_LIBRARY_PATH';

delete process.env[VARIABLE];

/** Names a file by the environment until the test is over. */
function name(t, file) {
  process.env[VARIABLE] = file;
  t.after(() => delete process.env[VARIABLE]);
}

/** A project with the addon in both of the other places. */
function layAll(t) {
  const project = layProject(t);
  const built = path.join(project.own, `roomcast.${abi}.node`);
  fs.copyFileSync(addon, built);
  return { project, built, installed: project.addPlatform(abi, { file: addon }) };
}

const isLoaded = file => require.cache[file] !== undefined;

it('NAPI_RS_NATIVE_LIBRARY_PATH comes first', t => {
  const { project, built, installed } = layAll(t);
  const named = path.join(project.folder, 'named.node');
  fs.copyFileSync(addon, named);
  name(t, path.relative(process.cwd(), named));
  assert.equal(typeof project.load().Hub, 'function');
  assert.deepEqual([named, built, installed].map(isLoaded), [true, false, false]);
});

it('what is built in place comes before what is installed', t => {
  const { project, built, installed } = layAll(t);
  assert.equal(typeof project.load().Hub, 'function');
  assert.deepEqual([built, installed].map(isLoaded), [true, false]);
});

it('what is installed comes last', t => {
  const { project, built, installed } = layAll(t);
  fs.rmSync(built);
  assert.equal(typeof project.load().Hub, 'function');
  assert.equal(isLoaded(installed), true);
});

it('a file that NAPI_RS_NATIVE_LIBRARY_PATH names is not replaced by another', t => {
  const { project, installed } = layAll(t);
  const gone = path.join(project.folder, 'gone.node');
  name(t, gone);
  assert.throws(() => project.load(), {
    code: 'ROOMCAST_NO_ADDON',
    message: new RegExp(
      `${gone} does not load: it is not there\\.\\n` +
        '  Let NAPI_RS_NATIVE_LIBRARY_PATH name an addon for this platform, or unset it\\.\\n' +
        `  Looked for: ${gone}$`,
    ),
  });
  assert.equal(isLoaded(installed), false);
});

it('a file that was built and does not load is not replaced by another', t => {
  const { project, built, installed } = layAll(t);
  fs.writeFileSync(built, 'none');
  assert.throws(() => project.load(), {
    message: new RegExp(`${built} does not load: .*\\n  Build it here: .npm run build.\\.\\n`),
  });
  assert.equal(isLoaded(installed), false);
});
