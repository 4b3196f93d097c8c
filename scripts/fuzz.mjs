// `npm run fuzz -- [target …] [--seconds N]`: runs fuzz targets, all of them where none is named, for
// N seconds each (60). Needs stable Rust and a C++ compiler, for libFuzzer.
//
//   --asan          with AddressSanitizer, at a third of the speed
//   --replay FILE   runs one input, as a finding is kept
//   --minimise      puts what was found into fuzz/corpus/, as few inputs as cover the same
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endWithNpm, root, run } from './run.mjs';
import { ADDRESS_SANITIZER, environment, hostTarget } from './rust-flags.mjs';

// What `cargo fuzz` builds with, but for the sanitizer.
const COVERAGE = [
  '--cfg=fuzzing',
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
  '-Cllvm-args=-simplifycfg-branch-fold-threshold=0',
];
// A run takes a few milliseconds at the most, and the whole process some hundred MB.
const LIMITS = ['-timeout=10', '-rss_limit_mb=2048'];
// Bytes of one input: 120 steps of a hub, or more than any message that clients send.
const LONGEST = { hub: 256 };
// Inputs that are kept of one target.
const MOST = 99;

endWithNpm();

const fuzz = join(root, 'fuzz');
const all = readdirSync(join(fuzz, 'targets')).map(file => file.replace(/\.rs$/, ''));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    asan: { type: 'boolean', default: false },
    replay: { type: 'string' },
    minimise: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const chosen = positionals.length > 0 ? positionals : all;
const wrong = chosen.find(target => !all.includes(target));
if (wrong !== undefined) fail(`There is no target ${wrong}: choose from ${all.join(', ')}.`);
if (!Number.isInteger(seconds) || seconds < 1) fail('--seconds takes a whole number from 1.');
if (values.replay && chosen.length !== 1) fail('--replay needs the one target that it is for.');

const platform = hostTarget();
const flags = values.asan ? [...COVERAGE, ...ADDRESS_SANITIZER] : COVERAGE;
// A folder for each set of flags, or cargo would build everything anew.
const built = join(fuzz, 'target', values.asan ? 'asan' : 'plain');
const where = ['--target', platform, '--target-dir', built];
const env = environment(flags);
await step('cargo', ['build', '--release', '--locked', '--bins', ...where], { cwd: fuzz, env });
for (const target of chosen) await fuzzOne(target);

async function fuzzOne(target) {
  const binary = join(built, platform, 'release', target);
  const kept = join(fuzz, 'corpus', target);
  const found = join(fuzz, 'target/corpus', target);
  const findings = join(fuzz, 'target/findings', target);
  for (const folder of [kept, found, findings]) mkdirSync(folder, { recursive: true });
  const longest = `-max_len=${LONGEST[target] ?? 4096}`;
  const limits = [...LIMITS, longest, `-artifact_prefix=${findings}/`];
  if (values.replay) return step(binary, [...limits, values.replay]);
  if (values.minimise) return minimise(binary, limits, kept, found);

  console.log(`\n${target}, ${seconds} s`);
  const words = join(fuzz, 'dictionaries', `${target}.txt`);
  const dictionary = existsSync(words) ? [`-dict=${words}`] : [];
  const time = [`-max_total_time=${seconds}`, '-print_final_stats=1'];
  const code = await run(binary, [...limits, ...dictionary, ...time, found, kept]);
  if (code !== 0) {
    fail(
      `A finding of ${target} is in ${findings}. To run it again:\n` +
        `  npm run fuzz -- ${target} --replay FILE`,
      code,
    );
  }
}

async function minimise(binary, limits, kept, found) {
  const fewer = join(fuzz, 'target/fewer');
  rmSync(fewer, { recursive: true, force: true });
  mkdirSync(fewer);
  await step(binary, [...limits, '-set_cover_merge=1', '-use_counters=0', fewer, kept, found]);
  // Those that cover the most are written first.
  const written = file => statSync(join(fewer, file), { bigint: true }).mtimeNs;
  const files = readdirSync(fewer).sort((a, b) => (written(a) < written(b) ? -1 : 1));
  for (const file of files.slice(MOST)) rmSync(join(fewer, file));
  rmSync(kept, { recursive: true });
  renameSync(fewer, kept);
  console.log(`${readdirSync(kept).length} inputs are kept in ${kept}`);
}

async function step(command, args, options) {
  const code = await run(command, args, options);
  if (code !== 0) fail(`${command} ended with ${code}`, code);
}

function fail(message, code = 1) {
  console.error(`\n${message}`);
  process.exit(code);
}
