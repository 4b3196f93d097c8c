'use strict';

const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const { layBotFolder } = require('./bot-folder');
const { pathOf } = require('./compat');
const { codeBlocks, codeUnder } = require('./markdown');

const run = promisify(execFile);
const fixture = path.join(__dirname, '../fixtures/pm2/bot.js');
const blocks = codeBlocks(path.join(__dirname, '../../docs/deploy.md'));

/**
 * Starts two bots that share a port, as docs/deploy.md does, by a pm2 of their own. All of it ends with
 * the test.
 *
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} env what the bots read beside what the document gives them
 */
async function startPm2(t, env) {
  let pm2;
  // Before the folder goes, which its logs and its socket are in.
  t.after(() => pm2?.('kill'));
  const folder = layBotFolder(t);
  const write = (name, text) => fs.writeFileSync(path.join(folder, name), text);
  const stop = codeUnder(blocks, 'Stopping and restarting', 'js', 0);
  write('bot.js', `${fs.readFileSync(fixture, 'utf8')}\n${stop}`);
  write('documented.js', codeUnder(blocks, 'pm2', 'js', 1));
  write(
    'ecosystem.config.js',
    `const [app] = require('./documented.js').apps;
     const env = { ...app.env, ...${JSON.stringify(env)} };
     module.exports = { apps: [{ ...app, script: 'bot.js', env }] };`,
  );
  pm2 = async (...args) => {
    const { stdout } = await run(process.execPath, [pathOf('pm2'), ...args], {
      cwd: folder,
      env: { ...process.env, HOME: folder, PM2_HOME: path.join(folder, 'pm2') },
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  };
  await pm2('start', 'ecosystem.config.js');
  return {
    reload: () => pm2('reload', 'bot'),
    /** The ids of the bots' processes. */
    pids: async () => JSON.parse(await pm2('jlist')).map(({ pid }) => pid),
  };
}

module.exports = { startPm2 };
