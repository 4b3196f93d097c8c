// `npm run sanitize`: the Rust tests under AddressSanitizer. They reach every `unsafe` block, which
// all stand in src/transport.rs. What is given to this goes on to the tests.
import { endWithNpm, run } from './run.mjs';
import { ADDRESS_SANITIZER, environment, hostTarget } from './rust-flags.mjs';

endWithNpm();

// A folder of its own, so that the usual builds stay fresh.
const where = ['--target', hostTarget(), '--target-dir', 'target/asan'];
const tests = ['--lib', '--test', 'hub', '--test', 'handover', '--', ...process.argv.slice(2)];
process.exitCode = await run('cargo', ['test', ...where, ...tests], {
  env: environment(ADDRESS_SANITIZER),
});
