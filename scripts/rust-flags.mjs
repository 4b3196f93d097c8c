// Builds with flags of one's own, on stable Rust and without cargo-fuzz.
import { spawnSync } from 'node:child_process';

export const ADDRESS_SANITIZER = ['-Zsanitizer=address'];

/** The compiler's own platform, as cargo's `--target` wants it. */
export function hostTarget() {
  const { stdout, error } = spawnSync('rustc', ['-vV'], { encoding: 'utf8' });
  if (error) throw new Error('`rustc` is not on the PATH: https://rustup.rs/');
  return /^host: (.+)$/m.exec(stdout)[1];
}

/**
 * The environment to build with `flags`. They reach only what is built for a target that is named:
 * cargo has to be given `--target`, or build scripts would get them too.
 */
export function environment(flags) {
  // A flag with a Z is for nightly compilers, and for stable ones that are told to take it.
  const unstable = flags.some(flag => flag.startsWith('-Z'));
  return {
    ...process.env,
    RUSTFLAGS: flags.join(' '),
    ...(unstable && { RUSTC_BOOTSTRAP: '1' }),
  };
}
