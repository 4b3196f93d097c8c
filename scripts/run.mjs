import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Runs a command in the project's root with this process' own stdin, stdout and stderr. Resolves
 * with its exit code; one that a signal ended counts as 128 + the signal's number, as in a shell.
 * Rejects where the command cannot be started.
 */
export function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    let received;
    const passOn = signal => {
      received = signal;
      child.kill(signal);
    };
    for (const signal of SIGNALS) process.on(signal, passOn);
    const done = () => {
      for (const signal of SIGNALS) process.off(signal, passOn);
    };
    child.once('error', error => {
      done();
      reject(error);
    });
    child.once('close', (code, signal) => {
      done();
      // Whoever started us must see that a signal ended us, not that a step failed; and no
      // further step may start.
      if (received) process.kill(process.pid, received);
      else resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** How npm is started: the one that runs this script where there is one, so that no other version comes in. */
function npmCommand(args) {
  const cli = process.env.npm_execpath;
  if (cli && basename(cli) === 'npm-cli.js') return [process.execPath, [cli, ...args], {}];
  return ['npm', args, { shell: process.platform === 'win32' }];
}

/** Runs npm as `run` does. */
export function npm(...args) {
  return run(...npmCommand(args));
}

/**
 * What npm writes to its standard output.
 *
 * @throws {Error} where it fails; its own words are on stderr
 */
export function npmSays(...args) {
  const [command, all, options] = npmCommand(args);
  const stdio = ['ignore', 'pipe', 'inherit'];
  const { status, stdout, error } = spawnSync(command, all, {
    encoding: 'utf8',
    stdio,
    ...options,
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`npm ${args[0]} failed; the output above says why`);
  return stdout.trim();
}

/**
 * Ends this process by SIGTERM when the npm that runs it is gone. npm passes a signal on to the
 * shell that runs the script, and a shell such as dash dies of it without a word to us.
 */
export function endWithNpm() {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, 200);
  timer.unref();
}
