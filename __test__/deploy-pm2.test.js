'use strict';

// The pm2 of docs/deploy.md: its files, and how a bot has to stop that pm2's cluster mode runs. That mode
// is Node's own cluster module.

const assert = require('node:assert/strict');
const cluster = require('node:cluster');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const { connect } = require('./support/client');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { nextEvent } = require('./support/wait');

const root = path.join(__dirname, '..');
const blocks = codeBlocks(path.join(root, 'docs/deploy.md'));

/** What a block of the document exports. */
function exported(code) {
  const module = { exports: {} };
  vm.runInNewContext(code, { module });
  return module.exports;
}

describe('ecosystem.config.js', () => {
  const files = [0, 1].map(nth => exported(codeUnder(blocks, 'pm2', 'js', nth)));

  it('has one process in fork mode, and two that share a port in cluster mode', () => {
    const modes = files.map(({ apps: [{ exec_mode, instances }] }) => `${instances} ${exec_mode}`);
    assert.deepEqual(modes, ['1 fork', '2 cluster']);
  });

  it('starts the script that there is, and gives it the time that it takes to stop', () => {
    const stop = fs.readFileSync(path.join(root, 'examples/bot/src/bot/core/stop.js'), 'utf8');
    const longest = Number(/ALL_ENDS_WITHIN_MS = ([\d_]+)/.exec(stop)[1].replace('_', ''));
    for (const { apps } of files) {
      for (const { script, kill_timeout, env } of apps) {
        assert.ok(fs.existsSync(path.join(root, 'examples/bot', script)), script);
        assert.ok(kill_timeout > longest);
        for (const value of Object.values(env)) assert.equal(typeof value, 'string');
      }
    }
  });
});

describe('a worker of a cluster', () => {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    it(`tells its clients and ends by itself on ${signal}, as the document stops it`, async t => {
      const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-worker-'));
      t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
      const exec = path.join(folder, 'bot.js');
      fs.writeFileSync(
        exec,
        `const { setupRoomWebSocketServer } = require(${JSON.stringify(root)});
         const server = require('node:http').createServer();
         const rooms = setupRoomWebSocketServer(server);
         ${codeUnder(blocks, 'Stopping and restarting', 'js', 0)}
         server.listen(0, '127.0.0.1', () => process.send(server.address().port));`,
      );
      cluster.setupPrimary({ exec, args: [], execArgv: [] });
      const worker = cluster.fork();
      t.after(() => worker.process.kill('SIGKILL'));
      const [port] = await nextEvent(worker, 'message');
      const client = await connect({ url: `ws://127.0.0.1:${port}/ws/rooms`, clients: [] });

      const ended = nextEvent(worker, 'exit');
      worker.process.kill(signal);
      assert.equal((await client.closed).code, 1001);
      assert.deepEqual(await ended, [0, null]);
    });
  }
});
