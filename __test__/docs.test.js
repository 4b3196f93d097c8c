'use strict';

// The documents: their code runs or at least parses, their links lead somewhere.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { describe, it } = require('node:test');
const vm = require('node:vm');
const WebSocket = require('ws');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { closeServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const root = path.join(__dirname, '..');
const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'examples/bot/README.md'],
  ...fs
    .readdirSync(path.join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
];
const blocksOf = document => codeBlocks(path.join(root, document));

/** A heading's anchor, as GitHub makes it. */
function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

/** A document without its code, in which a bracket is no link. */
function proseOf(document) {
  const text = fs.readFileSync(path.join(root, document), 'utf8');
  return text.replace(/^\s*```[\s\S]*?^\s*```/gm, '').replace(/`[^`\n]*`/g, '');
}

function anchorsOf(document) {
  const text = fs.readFileSync(path.join(root, document), 'utf8');
  return [...text.replace(/^\s*```[\s\S]*?^\s*```/gm, '').matchAll(/^#+ (.*)$/gm)].map(match =>
    anchorOf(match[1]),
  );
}

for (const document of documents) {
  describe(document, () => {
    it('links to what is there', () => {
      for (const [, target] of proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [file, anchor] = target.split('#');
        const linked = file ? path.join(path.dirname(document), file) : document;
        assert.ok(fs.existsSync(path.join(root, linked)), `${target} is not there`);
        if (anchor) assert.ok(anchorsOf(linked).includes(anchor), `${target} has no such heading`);
      }
    });

    for (const { language, code, line } of blocksOf(document)) {
      if (language === 'js') {
        it(`has JavaScript that parses in line ${line}`, () => {
          new vm.Script(`(async () => {${code}\n})`, { filename: document, lineOffset: line });
        });
      } else if (language === 'json') {
        it(`has JSON that parses in line ${line}`, () => {
          JSON.parse(code);
        });
      }
    }
  });
}

it('the README brings a count from a bot to a page', async t => {
  const blocks = blocksOf('README.md');
  const bot = codeUnder(blocks, 'Add it to your bot', 'js', 0);
  assert.match(bot, /server\.listen\(3000\);/);
  const { server, rooms } = new Function(
    'require',
    `${bot.replace('server.listen(3000)', "server.listen(0, '127.0.0.1')")}\nreturn { server, rooms };`,
  )(createRequire(path.join(root, 'package.json')));
  t.after(async () => {
    await rooms.close({ graceMs: 100 });
    if (server.listening) await closeServer(server);
  });
  if (!server.listening) await nextEvent(server, 'listening');
  const host = `127.0.0.1:${server.address().port}`;

  const lines = [];
  let socket;
  class PageWebSocket extends WebSocket {
    constructor(url) {
      super(url);
      socket = this;
    }
  }
  new Function('WebSocket', 'window', 'console', codeUnder(blocks, 'Add it to your bot', 'js', 1))(
    PageWebSocket,
    { location: { host } },
    { log: line => lines.push(line) },
  );
  t.after(() => socket.terminate());
  await until(() => rooms.getClientCount(1) === 1, 'the page in room 1');

  await fetch(`http://${host}/rooms/1/join`, { method: 'POST' });
  await until(() => lines.includes('25 of 50'), 'the count');
});

it('the client of the protocol comes back where it was', async t => {
  const { setupRoomWebSocketServer } = require('..');
  const rooms = setupRoomWebSocketServer({ host: '127.0.0.1', port: 0 });
  t.after(() => rooms.close({ graceMs: 100 }));
  const host = `127.0.0.1:${rooms.address().port}`;
  const code = codeUnder(blocksOf('docs/protocol.md'), 'A client that does everything right', 'js');
  assert.match(code, /`wss:/);

  const sent = [];
  const lines = [];
  const sockets = [];
  class PageWebSocket extends WebSocket {
    constructor(url) {
      super(url);
      sockets.push(this);
    }
    send(text) {
      sent.push(JSON.parse(text));
      super.send(text);
    }
  }
  const timers = [];
  new Function('WebSocket', 'window', 'console', 'setTimeout', code.replace('`wss:', '`ws:'))(
    PageWebSocket,
    { location: { host } },
    { log: line => lines.push(line), error: line => lines.push(line) },
    callback => timers.push(callback),
  );
  t.after(() => {
    for (const socket of sockets) socket.terminate();
  });

  await until(() => rooms.getClientCount(1) === 1, 'the page in room 1');
  rooms.broadcastParticipantCount(1, 1, 50);
  await until(() => lines.length === 1, 'the first count');
  sockets[0].terminate();
  await until(() => timers.length === 1 && rooms.getClientCount(1) === 0, 'the interruption');
  rooms.broadcastParticipantCount(1, 2, 50);
  rooms.broadcastParticipantCount(1, 3, 50);
  timers.pop()();
  await until(() => lines.length === 3, 'the counts that were missed');
  assert.deepEqual(lines, ['1 of 50', '2 of 50', '3 of 50']);
  assert.equal(sent[1].lastSeq, rooms.getRoomState(1).seq - 2);
  assert.equal(sent[1].epoch, rooms.getRoomState(1).epoch);

  // 1008 is final.
  rooms.disconnectUser('123456789');
  await nextEvent(sockets[1], 'close');
  assert.equal(timers.length, 0);
});
