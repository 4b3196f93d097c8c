// `npm run bench:instructions`: how many instructions one more of each work takes, beside the
// numbers that are kept. Counts repeat where times do not. They are printed for a reader: no number
// fails this.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const kept = new URL('instructions.json', import.meta.url);

// The difference of two counts is free of what it takes to get there. Nobody reads for the members
// of the fan-out, who take some 100 updates before they count as slow.
const works = {
  encode: { title: 'encode one update', few: 100, many: 1_100 },
  parse: { title: 'parse one message', few: 100, many: 1_100 },
  fanout: { title: 'fan one update out to 1 000 members', few: 10, many: 90 },
};

if (spawnSync('valgrind', ['--version']).error) {
  console.log('Instructions are counted by valgrind, which is not here (apt install valgrind).');
  process.exit();
}
const binary = build();
const before = JSON.parse(readFileSync(kept, 'utf8'));
const after = {};
for (const [work, { title, few, many }] of Object.entries(works)) {
  const each = (count(work, many) - count(work, few)) / (many - few);
  after[work] = Math.round(each);
  const ratio = before[work] ? `${(each / before[work]).toFixed(3)} of what it was` : 'new';
  console.log(`${title.padEnd(36)} ${after[work].toString().padStart(9)} instructions, ${ratio}`);
}
if (process.argv.includes('--keep')) {
  writeFileSync(kept, `${JSON.stringify(after, null, 2)}\n`);
  console.log('kept in bench/instructions.json');
}

function build() {
  const args = ['bench', '--bench', 'instructions', '--no-run', '--message-format=json', '--quiet'];
  const built = command('cargo', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const artifacts = built
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  return artifacts.findLast(({ executable }) => executable).executable;
}

/** Instructions of a whole process, all its threads. */
function count(work, times) {
  const folder = mkdtempSync(join(tmpdir(), 'roomcast-'));
  try {
    const out = join(folder, 'callgrind');
    const args = ['--tool=callgrind', '--quiet', `--callgrind-out-file=${out}`];
    command('valgrind', [...args, binary, work, String(times)], { stdio: 'inherit' });
    return Number(/^(?:totals|summary): (\d+)$/m.exec(readFileSync(out, 'utf8'))[1]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function command(file, args, options) {
  const maxBuffer = 64 * 1024 * 1024;
  const done = spawnSync(file, args, { cwd: root, encoding: 'utf8', maxBuffer, ...options });
  if (done.error) throw done.error;
  if (done.status !== 0) throw new Error(`${file} ended (${done.signal ?? done.status})`);
  return done.stdout;
}
