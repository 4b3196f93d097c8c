'use strict';

// The types, the README and the code have the same names: none can be forgotten in one of them.

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const roomcast = require('..');
const { RoomMethods } = require('../lib/room-methods');
const { connect } = require('./support/client');
const { declarationsOf, namesIn } = require('./support/declarations');
const { startServer } = require('./support/server');

const root = path.join(__dirname, '..');
const read = file => fs.readFileSync(path.join(root, file), 'utf8');
const server = declarationsOf('index.d.ts');
const page = declarationsOf('client/room-client.d.ts');
const readme = read('README.md');

const sorted = names => [...new Set(names)].sort();
const equal = (actual, expected) => assert.deepEqual(sorted(actual), sorted(expected));

/** The names in backticks in the first column of the first table under a heading. */
function firstColumn(heading) {
  const [table] = readme.split(`\n## ${heading}\n`)[1].match(/(?:^\|.*\n)+/m);
  return table
    .split('\n')
    .slice(2, -1)
    .flatMap(row => [...row.split('|')[1].matchAll(/`(\w+)/g)].map(([, name]) => name));
}

describe('the options', () => {
  const checked = namesIn('lib/options.js', 'OPTIONS');
  const typed = [...server.membersOf('RoomServerOptions'), ...server.membersOf('ListenOptions')];

  it('are those that are checked', () => equal(typed, checked));

  it('are those of the README', () => equal(firstColumn('Options'), checked));

  it('of the cluster, of sessions and of closing are, too', () => {
    equal(server.membersOf('ClusterOptions'), namesIn('lib/cluster-option.js', 'KNOWN'));
    equal(server.membersOf('SessionAuthenticatorOptions'), namesIn('lib/authenticate.js', 'KNOWN'));
    const closing = read('lib/room-server.js').matchAll(/delayOf\('options\.(\w+)'/g);
    equal(
      server.membersOf('CloseOptions'),
      [...closing].map(([, name]) => name),
    );
  });

  it('have the defaults that are said', () => {
    const [, literal] = /impl Default for Options \{[\s\S]*?Self \{([\s\S]*?)\n {8}\}/.exec(
      read('src/options.rs'),
    );
    const rules = literal.matchAll(/(\w+): (?:Duration::from_millis\()?([\d_]+)(?:\.0)?\)?,/g);
    const numbers = [...rules].map(([, name, number]) => [
      name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
      Number(number.replaceAll('_', '')).toLocaleString('en').replaceAll(',', ' '),
    ]);
    assert.ok(numbers.length >= 12, `${numbers}`);
    for (const [name, number] of numbers) {
      const { prose } = server.parts.find(part => part.name === `RoomServerOptions.${name}`);
      assert.match(prose.replace(/\s+/g, ' '), new RegExp(`Default: ${number}\\.`), name);
      const row = readme
        .split('\n')
        .find(line => line.startsWith('| `') && line.includes(`\`${name}`));
      // Two options, and units, may share a cell.
      assert.match(row.split('|')[2], new RegExp(`(?:^| )${number}(?:,| |$)`), name);
    }
  });
});

describe('what the module exports', () => {
  it('is what it has', async () => {
    const typed = [...server.top]
      .filter(([, nodes]) => [nodes].flat().some(node => !isOnlyType(node)))
      .map(([name]) => name);
    equal(typed, Object.keys(roomcast));
    equal(typed, Object.keys(await import('../index.mjs')));
  });

  it('has the methods that the service has', () => {
    const service = Object.getPrototypeOf(roomcast.roomWebSocketService);
    equal(['constructor', ...server.membersOf('RoomService')], Object.getOwnPropertyNames(service));
  });

  it('has the methods that a hub has', () => {
    const emitters = Object.getOwnPropertyNames(EventEmitter.prototype);
    const methods = [...ownNames(roomcast.RoomWebSocketServer), ...ownNames(RoomMethods)];
    const typed = server.membersOf('RoomWebSocketServer').map(name => name.replace(/^\[.*\]$/, ''));
    equal(
      typed.filter(name => name && !emitters.includes(name)),
      methods.filter(name => !emitters.includes(name)),
    );
    assert.ok(server.membersOf('RoomWebSocketServer').includes('[Symbol.asyncDispose]'));
    equal(
      firstColumn('The room server'),
      methods.filter(name => !['constructor', 'on'].includes(name)),
    );
  });
});

describe('what a hub tells', () => {
  it('are the events of the types and the README', () => {
    const link = read('lib/link.js');
    const [, cases] = /#deliver\(event\) \{([\s\S]*?)\n {2}\}/.exec(link);
    const told = cases
      .split('return')
      .flatMap((text, at, all) => (all[at + 1]?.startsWith(' this.#tell(type') ? [text] : []))
      .flatMap(text => [...text.matchAll(/case '(\w+)'/g)].map(([, name]) => name));
    const own = [...read('lib/room-server.js').matchAll(/this\.tell\('(\w+)'/g)];
    const events = [...told, ...own.map(([, name]) => name)];
    equal(server.membersOf('RoomServerEvents'), events);
    const [, sentence] = /It is an `EventEmitter`: ([\s\S]*?)\. A `client`/.exec(readme);
    equal(
      [...sentence.matchAll(/`(\w+)\(/g)].map(([, name]) => name),
      events,
    );
  });

  it('are the codes of its errors', () => {
    const files = rustFiles('src');
    const notices = files
      .map(read)
      .filter(text => text.includes('Notice::Error {'))
      .join('\n');
    const codes = [...notices.matchAll(/(?:code: |^\s*)"([A-Z][A-Z_]+)"/gm)].map(
      ([, code]) => code,
    );
    // What is answered by a code alone.
    const tuples = [...notices.matchAll(/\(\s*"([A-Z]+_[A-Z]+)",/g)].map(([, code]) => code);
    equal(server.literalsOf('HubErrorCode'), [...codes, ...tuples]);
    const { prose } = server.parts.find(({ name }) => name === 'HubErrorCode');
    for (const code of server.literalsOf('HubErrorCode'))
      assert.match(prose, new RegExp(`\`${code}\``));
    assert.match(read('lib/addon/error.js'), /'ROOMCAST_NO_ADDON'/);
    assert.ok(server.parts.some(({ node }) => node.getText().includes("'ROOMCAST_NO_ADDON'")));
  });

  it('are the fields of its clients, states and figures', async t => {
    const started = await startServer(t);
    const connected = new Promise(resolve => started.hub.once('connection', resolve));
    const client = await connect(started);
    await client.join(1);
    started.hub.broadcastParticipantCount(1, 1, 2);
    const seen = await connected;
    equal(server.membersOf('RoomClient'), ['close', ...Object.keys(seen)]);
    equal(server.membersOf('RoomState'), Object.keys(started.hub.getRoomState(1)));
    const stats = started.hub.getStats();
    equal(server.membersOf('Stats'), Object.keys(stats));
    const perThread = server.parts.filter(({ name }) => name.startsWith('Stats.perThread.'));
    equal(
      perThread.map(({ name }) => name.split('.').at(-1)),
      Object.keys(stats.perThread[0]),
    );
  });
});

describe("the browser's client", () => {
  const source = read('client/room-client.js');

  it('has the options that it takes', () => {
    const [, options] = /constructor\(\{ ([\s\S]*?), \.\.\.others \} = \{\}\)/.exec(source);
    const [, polling] = /const \{ ([\s\S]*?), \.\.\.more \} = poll;/.exec(source);
    const names = text => [...text.matchAll(/(?:^|, )(\w+)(?:: \w+)? =/g)].map(([, name]) => name);
    equal(page.membersOf('RoomClientOptions'), names(options));
    equal(page.membersOf('PollOptions'), names(polling));
  });

  it('has the methods, events and states that there are', () => {
    const [, body] = /export class RoomClient extends EventTarget \{([\s\S]*?)\n\}/.exec(source);
    const methods = [...body.matchAll(/^ {2}(?:async |get )?(\w+)\(.*\{$/gm)].map(
      ([, name]) => name,
    );
    const inherited = ['addEventListener', 'removeEventListener'];
    equal(page.membersOf('RoomClient'), [...methods, ...inherited]);
    const events = body.matchAll(/(?:#emit|CustomEvent)\('(\w+)'/g);
    equal(
      page.membersOf('RoomClientEvents'),
      [...events].map(([, name]) => name),
    );
    const states = body.matchAll(/'(connecting|live|polling|offline|closed)'/g);
    equal(
      page.literalsOf('RoomClientState'),
      [...states].map(([, name]) => name),
    );
    const become = [...body.matchAll(/#become\(([^)]*)\)/g)].flatMap(([, text]) =>
      [...text.matchAll(/'(\w+)'/g)].map(([, name]) => name),
    );
    for (const name of become) assert.ok(page.literalsOf('RoomClientState').includes(name), name);
  });
});

function ownNames({ prototype }) {
  return Object.getOwnPropertyNames(prototype);
}

function isOnlyType(node) {
  return !/^export (?:declare )?(?:class|function|const)\b/.test(node.getText());
}

function rustFiles(folder) {
  return fs
    .readdirSync(path.join(root, folder), { recursive: true })
    .filter(name => name.endsWith('.rs'))
    .map(name => path.join(folder, name));
}
