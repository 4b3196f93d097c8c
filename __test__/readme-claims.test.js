'use strict';

// What the README claims: each number is that of the run, or the test, that it links to.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { gzipSync } = require('node:zlib');

const root = path.join(__dirname, '..');
const read = file => fs.readFileSync(path.join(root, file), 'utf8');
const readme = read('README.md');

/** A link's words, of those to `target` and its headings. */
function linksTo(target) {
  const links = readme.matchAll(/\[((?:[^[\]]|\n)+)\]\(([^)#\s]+)(?:#[^)\s]+)?\)/g);
  return [...links].filter(([, , to]) => to === target).map(([, words]) => words);
}

const quantities = text => text.match(/\d[\d .]*(?:µs|ms|KiB|updates\/s)/g) ?? [];

const ROOM = {
  heading: 'One room of 10 000 clients, an update every 300 ms',
  file: 'docs/benchmarks.json',
};
const MEMORY = {
  heading: 'Memory: 3 000, then 18 000 idle clients, then none',
  file: 'docs/benchmarks.json',
};
const CARRIED = {
  heading: 'Carried: as many updates as get across, one room',
  file: 'docs/benchmarks-cluster.json',
};
const [CALL, STALL, CPU] = ['call, median, µs', 'longest stall, ms', 'CPU per message, µs'];
const PER_CLIENT = 'per client, KiB';
const DELIVERED = 'delivered, updates/s';

/** What was measured and stands in the README, in its order: where in the page, and where in the runs. */
const MEASURED = [
  { ...ROOM, peer: 'roomcast', column: CALL, of: ['room', 'roomcast', 'call'] },
  { ...ROOM, peer: 'ws', column: CALL, of: ['room', 'ws', 'call'], as: 'ms' },
  { ...ROOM, peer: 'roomcast', column: STALL, of: ['room', 'roomcast', 'stall'] },
  { ...ROOM, peer: 'ws', column: STALL, of: ['room', 'ws', 'stall'] },
  { ...ROOM, peer: 'roomcast', column: CPU, of: ['room', 'roomcast', 'cpu'] },
  { ...ROOM, peer: 'ws', column: CPU, of: ['room', 'ws', 'cpu'] },
  { ...ROOM, peer: 'uWebSockets.js', column: CPU, of: ['room', 'uws', 'cpu'] },
  { ...MEMORY, peer: 'roomcast', column: PER_CLIENT, of: ['memory', 'roomcast', 'perClient'] },
  { ...MEMORY, peer: 'ws', column: PER_CLIENT, of: ['memory', 'ws', 'perClient'] },
  {
    ...CARRIED,
    peer: 'roomcast, cluster',
    column: DELIVERED,
    of: ['carried', 'clustered', 'carried'],
  },
];

/** What a table of the benchmark has under a heading, in the row of a peer. */
function cell(heading, peer, column) {
  const rows = read('docs/benchmarks.md')
    .split(`### ${heading}`)[1]
    .split('\n#')[0]
    .split('\n')
    .filter(line => line.startsWith('|'))
    .map(line => line.split('|').map(text => text.trim()));
  const found = rows.find(row => row[1] === peer)?.[rows[0].indexOf(column)];
  assert.ok(found, `${peer}, ${column}`);
  return found;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle) - 1]) / 2;
}

describe('the numbers of the README', () => {
  it('are those of the benchmark', async () => {
    const { show } = await import('../bench/figures.mjs');
    const inMilliseconds = text => `${show(Number(text.replaceAll(' ', '')) / 1_000)} ms`;
    const expected = MEASURED.map(({ heading, peer, column, as }) => {
      const text = cell(heading, peer, column);
      return as === 'ms' ? inMilliseconds(text) : `${text} ${column.split(', ').at(-1)}`;
    });
    assert.deepEqual(linksTo('docs/benchmarks.md').flatMap(quantities), expected);
    // Behind the link, of the peer.
    const theirs = cell(CARRIED.heading, 'Socket.IO, Redis adapter', DELIVERED);
    assert.ok(readme.includes(`adapter carries ${theirs} updates/s`), theirs);
    const all = quantities(readme).length;
    assert.equal(all, MEASURED.length + 1, 'measured numbers in the whole README');
  });

  it('are medians of its runs', () => {
    for (const { heading, peer, column, file, of } of MEASURED) {
      const { runs } = JSON.parse(read(file));
      const measured = median(runs.map(run => of.reduce((part, key) => part[key], run)));
      const told = Number(cell(heading, peer, column).replaceAll(' ', ''));
      // Both are rounded.
      assert.ok(Math.abs(told / measured - 1) < 0.005, `${peer}, ${column}: ${told}, ${measured}`);
    }
  });

  it('are those of the soak', () => {
    const run = read('docs/reliability.md').split('## A run')[1].split('\n## ')[0];
    const figure = name => new RegExp(`${name} +(\\d[\\d ]*\\d|\\d)$`, 'm').exec(run)?.[1];
    const claim =
      /with (\d+) clients\][^|]*?: (\d[\d ]+) rooms[^|]*, nothing missing, nothing twice/.exec(
        readme,
      );
    assert.equal(claim?.[2], figure('rooms recovered without a gap'));
    assert.equal(figure('… missing \\(clients that read\\)'), '0');
    assert.equal(figure('… twice'), '0');
    assert.ok(run.includes(`${claim[1]} clients at a time`), claim[1]);
    const seconds = /hub attached to the bot's http server: (\d+) s|: (\d+) s,/.exec(run);
    assert.equal(Math.round(Number(seconds[1] ?? seconds[2]) / 60), 10, 'ten minutes');
  });

  it('are those of the client, and of the test that it names', () => {
    const [words] = linksTo('__test__/client-size.test.js');
    const limit = 1024 * Number(/^less than (\d+) KB$/.exec(words)[1]);
    assert.ok(gzipSync(fs.readFileSync(require.resolve('roomcast/client'))).length < limit);
    assert.ok(linksTo('__test__/cluster-hopping.test.js').includes('a thousand times'));
    assert.match(read('__test__/cluster-hopping.test.js'), /hops: 1_000,/);
  });

  it('are links wherever they say what was measured', () => {
    const promises = readme.split('## What it promises')[1].split('\n## ')[0];
    const rows = promises.split('\n').filter(line => /^\| [A-Z]/.test(line));
    assert.ok(rows.length > 5);
    for (const row of rows) assert.match(row, /\]\((?:docs|__test__)\//, row);
  });
});

describe('what the README says that one sees', () => {
  it('are the words of the loader', () => {
    const rows = readme
      .split('**Setting up**')[1]
      .split('\n')
      .filter(line => /^\| (?:…|`roomcast: no addon)/.test(line));
    assert.ok(rows.length >= 4);
    const loader = ['error', 'missing'].map(name => read(`lib/addon/${name}.js`)).join('');
    // Whatever is filled in stands for a platform, a package or a C library.
    const words = loader.replace(/\$\{[^}]+\}/g, '§');
    for (const row of rows) {
      const [, quoted] = /`([^`]+)`/.exec(row);
      for (const part of quoted.replace(/musl|glibc/g, '§').split('…')) {
        assert.ok(words.includes(part.trim()), part);
      }
    }
  });
});
