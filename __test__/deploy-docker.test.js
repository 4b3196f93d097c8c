'use strict';

// The Docker file of docs/deploy.md, as far as it can be held against the bot without building it.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { startBot } = require('./support/bot');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { freePort } = require('./support/redis');

const root = path.join(__dirname, '..');
const blocks = codeBlocks(path.join(root, 'docs/deploy.md'));
const [image, untilPublished] = [0, 1].map(nth => codeUnder(blocks, 'Docker', 'dockerfile', nth));
const ignored = codeUnder(blocks, 'Docker', 'text').split('\n');

/** The instructions, one by one: `[name, rest]`. */
const instructionsOf = text =>
  text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean)
    .map(line => /^([A-Z]+) (.+)$/.exec(line).slice(1));

const theOnly = (instructions, wanted) => {
  const found = instructions.filter(([name]) => name === wanted);
  assert.equal(found.length, 1, wanted);
  return found[0][1];
};

const instructions = instructionsOf(image);

describe('the image', () => {
  it('runs node itself as process 1, with the signal that the bot listens for, and not as root', () => {
    const [program, script] = JSON.parse(theOnly(instructions, 'CMD'));
    assert.equal(program, 'node');
    assert.ok(fs.existsSync(path.join(root, 'examples/bot', script)));
    assert.equal(theOnly(instructions, 'STOPSIGNAL'), 'SIGTERM');
    assert.equal(theOnly(instructions, 'USER'), 'node');
    const names = instructions.map(([instruction]) => instruction);
    assert.ok(names.indexOf('USER') > names.lastIndexOf('RUN'), 'installed by root');
  });

  it('has of the bot what there is of it, and nothing that was installed outside', () => {
    const copied = instructions.filter(([name]) => name === 'COPY').map(([, rest]) => rest);
    const folders = fs.readdirSync(path.join(root, 'examples/bot'), { withFileTypes: true });
    const there = folders.filter(entry => entry.isDirectory() && entry.name !== 'node_modules');
    assert.deepEqual(copied.sort(), [
      'package.json package-lock.json ./',
      ...there.map(({ name }) => `${name}/ ${name}/`).sort(),
    ]);
    assert.deepEqual(ignored, ['node_modules', '.git']);
  });

  it('needs nothing but npm to have the addon', () => {
    const [, major] = /^node:(\d+)-slim$/.exec(theOnly(instructions, 'FROM'));
    const { engines } = require('../package.json');
    assert.ok(Number(major) >= Number(/\d+/.exec(engines.node)[0]));
    // The addon is an optional dependency.
    for (const [, command] of [...instructions, ...instructionsOf(untilPublished)]) {
      assert.doesNotMatch(command, /cargo|rustup|apt-get|apk |omit=optional|no-optional/);
    }
    assert.match(theOnly(instructions, 'RUN'), /^npm ci /);
  });

  it('is healthy while the bot answers, and only then', async t => {
    const [, command] = /CMD (\[.*\])$/.exec(theOnly(instructions, 'HEALTHCHECK'));
    const [program, ...args] = JSON.parse(command);
    assert.equal(program, 'node');
    const check = port => {
      const there = args.map(arg => arg.replace('127.0.0.1:3000', `127.0.0.1:${port}`));
      assert.notDeepEqual(there, args);
      return spawnSync(process.execPath, there, { stdio: 'inherit' }).status;
    };
    assert.equal(check(await freePort()), 1);
    const bot = await startBot(t);
    assert.equal(check(new URL(bot.address).port), 0);
  });
});
