'use strict';

// Every command in the documents, in blocks and between the words: its program is known, its npm script
// and its files are there, and our own scripts know its options.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { scripts } = require('../package.json');
const { blocksOf, documents, root, wordsOf } = require('./support/documents');

/** What is no more than a name here: other people's programs, which have their own manuals. */
const PROGRAMS = ['docker', 'gh', 'grep', 'mv', 'redis-cli', 'rm', 'systemctl'];
const OF_NPM = ['audit', 'ci', 'deprecate', 'install', 'trust', 'uninstall'];
const OF_CARGO = ['deny', 'fuzz', 'install', 'test', 'tree'];

/** Our own scripts that read their options, say so, and do nothing else where `--help` is among them. */
const WITH_HELP = ['bench/run.mjs', 'soak/run.mjs'];

/** The commands of a shell text, each as its words. */
function commandsOf(text) {
  return text
    .replace(/\\\n/g, ' ')
    .split('\n')
    .map(line => line.replace(/(^|\s)#.*$/, ''))
    .flatMap(line => line.split('&&'))
    .map(command => command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [])
    .map(words => words.slice(words.findIndex(word => !/^\w+=/.test(word))))
    .filter(words => words.length > 0);
}

/** The file of ours that an npm script ends with. */
const fileOf = script => /(\S+\.mjs)$/.exec(scripts[script])?.[1];

/** The options of a file of ours, as it gives them to parseArgs. */
function assertKnows(file, args) {
  if (WITH_HELP.includes(file)) {
    const { status, stderr } = spawnSync(process.execPath, [file, ...args, '--help'], {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    return;
  }
  const text = fs.readFileSync(path.join(root, file), 'utf8');
  for (const arg of args.filter(one => one.startsWith('--'))) {
    const name = arg.slice(2);
    const names = text.includes('allowNegative: true') ? [name, name.replace(/^no-/, '')] : [name];
    const isThere = names.some(one => new RegExp(`^\\s*'?${one}'?: \\{ type: '`, 'm').test(text));
    assert.ok(isThere || text.includes(`'${arg}'`), `${file} ${arg}`);
  }
}

const known = {
  npm(what, ...args) {
    if (OF_NPM.includes(what)) return;
    const script = what === 'run' ? args.shift() : what;
    assert.ok(script in scripts, `npm run ${script}`);
    if (args.length === 0) return;
    assert.equal(args.shift(), '--', 'npm takes what is before -- for its own');
    assert.ok(fileOf(script), `npm run ${script} takes options`);
    assertKnows(fileOf(script), args);
  },
  cargo(what) {
    assert.ok(OF_CARGO.includes(what), `cargo ${what}`);
  },
  node(what, ...args) {
    if (/^(-p|-e)$/.test(what)) return;
    const file = what.startsWith('-') ? args.shift() : what;
    assert.ok(fs.existsSync(path.join(root, file)), file);
    if (file === what) assertKnows(file, args);
  },
  '.ci/run'() {
    assert.ok(fs.existsSync(path.join(root, '.ci/run')));
  },
};

function assertKnown([program, ...args]) {
  if (program in known) known[program](...args);
  else assert.ok(PROGRAMS.includes(program), program);
}

for (const document of documents) {
  const inBlocks = blocksOf(document).filter(({ language }) => language === 'sh');
  const inWords = wordsOf(document).filter(word => /^(npm|cargo|node|npx) |^\.ci\/run/.test(word));
  if (inBlocks.length + inWords.length === 0) continue;

  describe(document, () => {
    for (const { place, code } of inBlocks) {
      it(`has commands that there are: ${place}`, () => {
        for (const command of commandsOf(code)) assertKnown(command);
      });
    }
    for (const word of new Set(inWords)) {
      it(`says \`${word}\``, () => {
        for (const command of commandsOf(word)) assertKnown(command);
      });
    }
  });
}

describe('a command', () => {
  for (const wrong of [
    'npm run bensh',
    'npm run bench --quick',
    'npm run bench -- --quik',
    'npm run bench -- --only hubb',
    'npm run soak -- --minuets 1',
    'npm run fuzz -- hub --second 1',
    'X=1 node scripts/no-such.mjs',
    'npm ci && cargo tset',
    'dockre run',
  ]) {
    it(`that is misspelt is found: ${wrong}`, () => {
      assert.throws(() => commandsOf(wrong).forEach(assertKnown), assert.AssertionError);
    });
  }
});
