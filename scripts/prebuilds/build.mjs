import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { OLDEST_GLIBC } from '../addons/targets.mjs';
import { root, run } from '../run.mjs';
import { environment, hostTarget } from '../rust-flags.mjs';
import { linkerEnvironment } from './linker.mjs';

// Apart from that of `npm run build`: with other flags, each would build everything anew.
const built = join(root, 'target/prebuilds');
const LIBRARY = { linux: 'libroomcast.so', darwin: 'libroomcast.dylib', win32: 'roomcast.dll' };
/** The oldest macOS that Node 20 runs on. */
const OLDEST_MACOS = '10.15';

/**
 * Builds one addon into `file`, which is replaced as a whole.
 *
 * @param {typeof import('../addons/targets.mjs').targets[number]} target
 * @throws {Error} that says what to do, where this machine cannot build it
 */
export async function build(target, file) {
  const { triple, platform, libc } = target;
  const host = hostTarget();
  if (platform !== 'linux' && !host.endsWith(triple.slice(triple.indexOf('-')))) {
    throw new Error(`addons for ${triple} are built on a machine of that system: this is ${host}`);
  }
  await addTarget(triple);
  const flags = [
    ...[
      [root, '/roomcast'],
      [join(cargoHome(), 'registry/src'), '/crates'],
    ].map(([from, to]) => `--remap-path-prefix=${from}=${to}`),
    // An addon is loaded by a musl that is there, in Node.
    ...(libc === 'musl' ? ['-Ctarget-feature=-crt-static'] : []),
  ];
  const where = ['--release', '--lib', '--locked', '--target-dir', built, '--target'];
  const env = environment(flags);
  if (platform === 'linux') {
    const named = libc === 'gnu' ? `${triple}.${OLDEST_GLIBC}` : triple;
    Object.assign(env, await linkerEnvironment());
    await cargo(['zigbuild', ...where, named], env);
  } else {
    if (platform === 'darwin') env.MACOSX_DEPLOYMENT_TARGET = OLDEST_MACOS;
    await cargo(['build', ...where, triple], env);
  }
  const begun = `${file}.${process.pid}`;
  mkdirSync(join(file, '..'), { recursive: true });
  copyFileSync(join(built, triple, 'release', LIBRARY[platform]), begun);
  renameSync(begun, file);
}

async function addTarget(triple) {
  const list = spawnSync('rustup', ['target', 'list', '--installed'], {
    encoding: 'utf8',
    cwd: root,
  });
  // Without rustup the compiler is a system's own, with what targets it has.
  if (list.error || list.stdout.split('\n').includes(triple)) return;
  const code = await run('rustup', ['target', 'add', triple]);
  if (code !== 0) throw new Error(`\`rustup target add ${triple}\` ended with ${code}`);
}

async function cargo(args, env) {
  const code = await run('cargo', args, { env });
  if (code !== 0) throw new Error(`\`cargo ${args.join(' ')}\` ended with ${code}`);
}

function cargoHome() {
  return process.env.CARGO_HOME ?? join(homedir(), '.cargo');
}
