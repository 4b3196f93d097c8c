'use strict';

// Pieces of documents whose other parts are run by tests of their own: docs/migrate-from-ws.md in short, and
// the example's README.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const roomcast = require('..');
const { connect } = require('./support/client');
const { codeIn, root } = require('./support/documents');
const { needsPostgres, startPostgres } = require('./support/postgres');
const { closeServer } = require('./support/server');
const { nextEvent } = require('./support/wait');

describe('migrate-from-ws.md in short', () => {
  const code = nth => codeIn('docs/migrate-from-ws.md', 'In short', 'js', nth);
  const required = { roomcast, http: require('node:http') };
  const requireFrom = name => {
    assert.ok(name in required, name);
    return required[name];
  };

  /** What a block exports, or what it leaves behind. */
  function run(text, given, result) {
    const module = { exports: {} };
    const names = ['require', 'module', ...Object.keys(given)];
    const left = new Function(...names, `${text}\nreturn ${result};`)(
      ...[requireFrom, module],
      ...Object.values(given),
    );
    return left ?? module.exports;
  }

  it('has two files and a start that make a room server', async t => {
    required['../websocket/roomWebSocketHandler'] = run(code(0), {}, 'undefined');
    const service = run(code(1), {}, 'undefined');
    const apiApp = (_, response) => response.end('the api');
    const { server, rooms } = run(code(2), { apiApp, PORT: 0 }, '{ server, rooms }');
    const road = { clients: [] };
    t.after(async () => {
      for (const client of road.clients) client.terminate();
      await rooms.close({ graceMs: 100 });
      if (server.listening) await closeServer(server);
    });
    if (!server.listening) await nextEvent(server, 'listening');
    const host = `127.0.0.1:${server.address().port}`;
    assert.equal(await (await fetch(`http://${host}/`)).text(), 'the api');
    const client = await connect(Object.assign(road, { url: `ws://${host}/ws/rooms` }));
    await client.join(1);
    service.notifyParticipantJoin(1, 'Ada', 25, 50);
    assert.equal((await client.nextMessage()).event, 'USER_JOINED');
  });
});

describe("the example's README", () => {
  const example = path.join(root, 'examples/bot');
  const code = (heading, language) => codeIn('examples/bot/README.md', heading, language, 0);

  it('names folders that there are, and files in them', () => {
    for (const line of code('What is where', '').split('\n')) {
      const [, folder, what] = /^(\S+\/) +(.+)$/.exec(line);
      const files = what.match(/\b\w+\.js\b/g) ?? [];
      const folders = what.match(/\b\w+\/(?= )/g) ?? [];
      for (const name of ['', ...files, ...folders]) {
        assert.ok(fs.existsSync(path.join(example, folder, name)), `${folder}${name}`);
      }
    }
  });

  it('puts somebody into the team by one statement', needsPostgres, async t => {
    const postgres = await startPostgres(t);
    const schema = fs.readFileSync(path.join(example, 'src/database/schema.sql'), 'utf8');
    const statement = code('HTTP', 'sql').replace('…', 'ada');
    const question = `SELECT title FROM hangout_groups JOIN hangout_group_members ON group_id = id
                       WHERE user_id = 'ada'`;
    await postgres.query(`${schema}\n${statement}`);
    assert.deepEqual(await postgres.query(question), [{ title: 'Team' }]);
  });
});
