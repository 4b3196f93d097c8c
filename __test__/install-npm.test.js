'use strict';

// What npm makes of seven platforms, and what roomcast says where that goes wrong in the known ways.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { beforeEach, it } = require('node:test');
const { ABIS, abiOf, thisHost } = require('../lib/addon/host');
const { createProject } = require('./support/bot-project');
const { temporaryFolder } = require('./support/package');
const { packInstalled, packOtherPlatforms, packRoomcast } = require('./support/packed');
const { serveTarballs } = require('./support/tarball-registry');
const { share } = require('./support/suite');

const here = abiOf(thisHost());
/** One that no machine of these tests is. */
const elsewhere = ['--os=darwin', '--cpu=arm64'];

let settings;
let own;
let needed;
let registry;
let project;
let number = 0;

share(async t => {
  const folder = temporaryFolder(t);
  own = await packRoomcast(path.join(folder, 'own'));
  const others = await packOtherPlatforms(path.join(folder, 'others'), own);
  needed = await packInstalled(path.join(folder, 'needed'), ['cookie', 'cookie-signature']);
  registry = await serveTarballs(t, [...own, ...others, ...needed]);
  settings = { folder, registry: registry.url };
});

beforeEach(() => {
  number += 1;
  const folder = path.join(settings.folder, `project${number}`);
  // A cache of its own, or the registry would not be asked again.
  project = createProject(folder, { registry: settings.registry, cache: `${folder}-cache` });
  registry.fetched.length = 0;
});

/** The platforms that are installed. */
const platforms = () => ABIS.filter(abi => project.has(`@roomcast/binding-${abi}`));

/** What comes of `require('roomcast')`: null, or the first line of the error. */
function failure(code = "require('roomcast')") {
  const program = `try { ${code}; console.log(null) } catch (error) { console.log(JSON.stringify(error.message.split('\\n')[0])) }`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', program], {
    cwd: project.folder,
    env: project.env,
    encoding: 'utf8',
  });
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout);
}

/** The same on another machine. */
const failureOn = host =>
  failure(
    `require('./node_modules/roomcast/lib/addon/load.js').loadAddon(${JSON.stringify(host)})`,
  );

it('npm fetches the addon of this platform alone, and locks all', async () => {
  await project.npm('install', 'roomcast');
  assert.deepEqual(platforms(), [here]);
  const fetched = registry.fetched.filter(file => file.startsWith('roomcast-binding-'));
  assert.equal(fetched.length, 1);
  assert.ok(fetched[0].startsWith(`roomcast-binding-${here}-`), fetched[0]);
  assert.equal(failure(), null);
  for (const abi of ABIS) {
    assert.ok(project.lock().packages[`node_modules/@roomcast/binding-${abi}`].optional, abi);
  }
});

it('a lock file from another platform is good for this one', async () => {
  await project.npm('install', 'roomcast', ...elsewhere);
  assert.deepEqual(platforms(), ['darwin-arm64']);
  await project.npm('ci');
  assert.deepEqual(platforms(), [here]);
  assert.equal(failure(), null);
});

it('tarballs are enough where nobody has the other platforms', async t => {
  const { url } = await serveTarballs(t, needed);
  const { folder } = project;
  project = createProject(folder, { registry: url, cache: `${folder}-cache` });
  const [main, ...platform] = own;
  await project.npm(
    'install',
    main,
    platform.find(file => file.includes(`-${here}-`)),
  );
  assert.deepEqual(platforms(), [here]);
  assert.equal(failure(), null);
});

it('a node_modules from another platform is told', async () => {
  await project.npm('install', 'roomcast', ...elsewhere);
  assert.ok(
    failure().endsWith(
      'node_modules was made on another platform: @roomcast/binding-darwin-arm64 is there, ' +
        `@roomcast/binding-${here} is not.`,
    ),
  );
});

for (const libc of ['glibc', 'musl']) {
  const other = libc === 'musl' ? 'glibc' : 'musl';
  it(`a node_modules for ${libc} is told where there is ${other}`, async () => {
    await project.npm('install', 'roomcast', '--os=linux', '--cpu=x64', `--libc=${libc}`);
    assert.deepEqual(platforms(), [libc === 'musl' ? 'linux-x64-musl' : 'linux-x64-gnu']);
    const host = { platform: 'linux', arch: 'x64', libc: libc === 'musl' ? 'gnu' : 'musl' };
    assert.ok(
      failureOn(host).includes(
        `this Node runs on ${other}, and node_modules was made for ${libc}:`,
      ),
    );
  });
}

for (const [way, args, npmrc] of [
  ['--omit=optional', ['--omit=optional']],
  ['omit in .npmrc', [], 'omit=optional\n'],
]) {
  it(`optional dependencies that ${way} leaves out are told, and how to get them`, async () => {
    if (npmrc) fs.writeFileSync(path.join(project.folder, '.npmrc'), npmrc);
    await project.npm('install', 'roomcast', ...args);
    assert.deepEqual(platforms(), []);
    assert.ok(failure().endsWith(`@roomcast/binding-${here} is not installed.`), failure());
    await project.npm('install', '--include=optional');
    assert.equal(failure(), null);
  });
}

it('a lock file that lacks platforms is told, and what to do helps', async () => {
  await project.npm('install', 'roomcast');
  // As npm makes it from a node_modules that is there, without asking for what is not in it.
  const lock = project.lock();
  for (const abi of ABIS) {
    if (abi !== here) delete lock.packages[`node_modules/@roomcast/binding-${abi}`];
  }
  fs.writeFileSync(path.join(project.folder, 'package-lock.json'), JSON.stringify(lock));
  fs.rmSync(project.at('@roomcast'), { recursive: true });
  assert.ok(
    failureOn({ platform: 'darwin', arch: 'arm64' }).endsWith(
      'package-lock.json has roomcast without @roomcast/binding-darwin-arm64.',
    ),
  );
  for (const made of ['node_modules', 'package-lock.json']) {
    fs.rmSync(path.join(project.folder, made), { recursive: true });
  }
  await project.npm('install');
  assert.equal(failure(), null);
  assert.ok(project.lock().packages['node_modules/@roomcast/binding-darwin-arm64']);
});
