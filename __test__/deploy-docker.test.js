'use strict';

// The Docker files of docs/deploy.md, as far as they can be held against the bot without building them.

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
const texts = {
  slim: codeUnder(blocks, 'Docker', 'dockerfile', 0),
  alpine: codeUnder(blocks, 'Docker', 'dockerfile', 1),
};

/** The instructions, one by one: `[name, rest]`. */
const instructionsOf = text =>
  text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter(Boolean)
    .map(line => /^([A-Z]+) (.+)$/.exec(line).slice(1));

/** Those of the image that runs: what follows the last FROM. */
function finalOf(text) {
  const instructions = instructionsOf(text);
  const at = instructions.findLastIndex(([name]) => name === 'FROM');
  return instructions.slice(at);
}

const theOnly = (instructions, wanted) => {
  const found = instructions.filter(([name]) => name === wanted);
  assert.equal(found.length, 1, wanted);
  return found[0][1];
};

for (const [name, text] of Object.entries(texts)) {
  describe(`the ${name} image`, () => {
    const final = finalOf(text);

    it('is built and run on the same system, whose C library the addon needs', () => {
      const bases = instructionsOf(text).filter(([instruction]) => instruction === 'FROM');
      assert.deepEqual(
        bases.map(([, rest]) => rest.split(' ')[0]),
        [`node:22-${name}`, `node:22-${name}`],
      );
    });

    it('runs node itself as process 1, with the signal that the bot listens for, and not as root', () => {
      const [program, script] = JSON.parse(theOnly(final, 'CMD'));
      assert.equal(program, 'node');
      assert.ok(fs.existsSync(path.join(root, 'examples/bot', script)));
      assert.equal(theOnly(final, 'STOPSIGNAL'), 'SIGTERM');
      assert.equal(theOnly(final, 'USER'), 'node');
      const names = final.map(([instruction]) => instruction);
      assert.ok(names.indexOf('USER') > names.lastIndexOf('RUN'), 'installed by root');
    });

    it('has of the bot what there is of it', () => {
      for (const [, rest] of final.filter(([instruction]) => instruction === 'COPY')) {
        const folder = /^bot\/(\w+)\/ \1\/$/.exec(rest)?.[1];
        if (folder) assert.ok(fs.existsSync(path.join(root, 'examples/bot', folder)), folder);
      }
      const copied = final.filter(([, rest]) => rest.startsWith('bot/')).map(([, rest]) => rest);
      const folders = fs.readdirSync(path.join(root, 'examples/bot'), { withFileTypes: true });
      for (const folder of folders.filter(entry => entry.isDirectory())) {
        assert.ok(copied.includes(`bot/${folder.name}/ ${folder.name}/`), folder.name);
      }
    });
  });
}

it('an image is healthy while the bot answers, and only then', async t => {
  const [, command] = /CMD (\[.*\])$/.exec(theOnly(finalOf(texts.slim), 'HEALTHCHECK'));
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

it('the two images differ in how they get a compiler, and nowhere else', () => {
  const without = text =>
    instructionsOf(text)
      .filter(([name, rest]) => !(name === 'RUN' && /^(apt-get|apk) /.test(rest)))
      .map(instruction => instruction.join(' ').replace(/node:22-\w+/, 'node:22'))
      .map(line => line.replace(" RUSTFLAGS='-C target-feature=-crt-static'", ''));
  assert.deepEqual(without(texts.alpine), without(texts.slim));
  // An addon is a shared library, which musl's default rules out.
  assert.match(texts.alpine, /^ENV .*RUSTFLAGS='-C target-feature=-crt-static'$/m);
});
