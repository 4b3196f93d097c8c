// Installs roomcast into an empty project elsewhere and runs the README's code there, on this platform.
//
//   node scripts/release-try.mjs                     the packages in dist/
//   node scripts/release-try.mjs --from FOLDER       those of another folder
//   node scripts/release-try.mjs --registry URL      the version of package.json, from a registry
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { tarballsOf } from './release-tarballs.mjs';
import { npm, root } from './run.mjs';

const HANGS_AFTER_MS = 60_000;

/** Runs the README's bot and its page, and ends with what the page has shown. */
const VISIT = `
'use strict';
const { once } = require('node:events');
globalThis.WebSocket ??= require('ws');
const { server, rooms } = require('./bot.cjs');
const shown = new Promise(resolve => {
  const log = console.log;
  console.log = line => {
    log(line);
    if (/^\\d+ of \\d+$/.test(line)) resolve();
  };
});
(async () => {
  if (!server.listening) await once(server, 'listening');
  const host = \`127.0.0.1:\${server.address().port}\`;
  globalThis.window = { location: { host } };
  const joined = once(rooms, 'join');
  require('./page.cjs');
  await joined;
  await fetch(\`http://\${host}/rooms/1/join\`, { method: 'POST' });
  await shown;
  await rooms.close({ graceMs: 100 });
  server.close();
  server.closeAllConnections();
  const { setupRoomWebSocketServer } = await import('roomcast');
  if (setupRoomWebSocketServer !== require('roomcast').setupRoomWebSocketServer) {
    throw new Error('import and require give different functions');
  }
  const addons = process.report.getReport().sharedObjects.filter(file => file.endsWith('.node'));
  console.log(JSON.stringify(addons));
})().catch(error => {
  console.error(error);
  process.exit(1);
});
`;

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: join(root, 'dist') },
    registry: { type: 'string' },
  },
});
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const project = mkdtempSync(join(realpathSync(tmpdir()), 'roomcast-try-'));
try {
  await install();
  visit();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(project, { recursive: true, force: true, maxRetries: 5 });
}

async function install() {
  writeFileSync(join(project, 'package.json'), '{ "name": "bot", "private": true }');
  await npmInstall('express@5', 'ws@8');
  if (values.registry === undefined) await npmInstall(...fitting());
  else {
    // What npm remembers of the registry may be older than what has just been published.
    await npmInstall(`${name}@${version}`, '--prefer-online', `--registry=${values.registry}`);
  }
}

async function npmInstall(...what) {
  if ((await npm('install', '--prefix', project, '--no-audit', '--no-fund', ...what)) !== 0) {
    throw new Error(`\`npm install ${what.join(' ')}\` failed; the output above says why`);
  }
}

/** The files of the main package and of the one that is made for this platform. */
function fitting() {
  const all = tarballsOf(values.from, name);
  const platforms = all.filter(({ manifest }) => manifest.os && allows(manifest));
  if (platforms.length !== 1) {
    throw new Error(`${values.from} has ${platforms.length} packages for this platform, not one`);
  }
  return [...platforms, all.at(-1)].map(({ file }) => file);
}

function allows({ os, cpu, libc }) {
  const musl = !process.report.getReport().header.glibcVersionRuntime;
  return (
    os.includes(process.platform) &&
    cpu.includes(process.arch) &&
    (!libc || libc.includes(musl ? 'musl' : 'glibc'))
  );
}

function visit() {
  const readme = createRequire(import.meta.url)('../__test__/support/markdown.js')
    .codeBlocks(join(root, 'README.md'))
    .filter(({ language }) => language === 'js')
    .map(({ code }) => code);
  const bot = readme.find(code => code.includes('server.listen(3000);'));
  const page = readme.find(code => code.includes('new WebSocket('));
  if (!bot || !page) throw new Error('README.md has no bot and page any more');
  const quiet = bot.replace('server.listen(3000);', "server.listen(0, '127.0.0.1');");
  writeFileSync(join(project, 'bot.cjs'), `${quiet}\nmodule.exports = { server, rooms };\n`);
  writeFileSync(join(project, 'page.cjs'), page);
  writeFileSync(join(project, 'visit.cjs'), VISIT);

  const { NAPI_RS_NATIVE_LIBRARY_PATH: _, ...env } = process.env;
  const { status, signal, stdout } = spawnSync(process.execPath, ['visit.cjs'], {
    cwd: project,
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: HANGS_AFTER_MS,
  });
  process.stdout.write(stdout);
  if (status !== 0) throw new Error(`The README's code ended with ${status ?? signal}`);
  if (!stdout.includes('25 of 50')) throw new Error("The README's page has not shown the count");
  const addons = JSON.parse(stdout.trim().split('\n').at(-1));
  const installed = new RegExp(
    `${basename(project)}.*[\\\\/]binding-[^\\\\/]+[\\\\/][^\\\\/]+\\.node$`,
  );
  if (!addons.some(file => installed.test(file))) {
    throw new Error(`The addon came from elsewhere: ${addons.join(', ')}`);
  }
}
