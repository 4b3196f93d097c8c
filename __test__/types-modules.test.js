'use strict';

// The files in types/ are right for a bot that compiles to CommonJS, too; nothing that the types have is
// left out of them; and what happens to somebody who has not installed Node's types.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, it } = require('node:test');
const ts = require('typescript');
const { declarationsOf } = require('./support/declarations');

const root = path.join(__dirname, '..');
const folder = path.join(__dirname, 'types');
const files = ['events', 'functions', 'options'];
const read = name => fs.readFileSync(path.join(folder, `${name}.mts`), 'utf8');

const STRICT = {
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
  strict: true,
  noEmit: true,
  esModuleInterop: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
};
const NODE16 = { ...STRICT, module: ts.ModuleKind.Node16 };
const BUNDLER = {
  ...STRICT,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
};

/** Files that are the same for every program: most of the time goes into reading them. */
const parsed = new Map();

/** What the compiler says of files that are only thought of, as if they stood in types/. */
function faultsOf(sources, options, hidden = /^$/) {
  const host = ts.createCompilerHost(options);
  const at = name => sources[path.relative(folder, name)];
  const { fileExists, readFile, directoryExists } = host;
  host.fileExists = name => at(name) !== undefined || (!hidden.test(name) && fileExists(name));
  host.readFile = name => at(name) ?? (hidden.test(name) ? undefined : readFile(name));
  host.directoryExists = name => !hidden.test(name) && directoryExists(name);
  host.getSourceFile = (name, format) => {
    if (at(name) !== undefined) return ts.createSourceFile(name, at(name), format);
    if (!host.fileExists(name)) return undefined;
    const key = `${name} ${format.impliedNodeFormat}`;
    if (!parsed.has(key)) parsed.set(key, ts.createSourceFile(name, readFile(name), format));
    return parsed.get(key);
  };
  host.getCurrentDirectory = () => root;
  const names = Object.keys(sources).map(name => path.join(folder, name));
  const program = ts.createProgram(names, options, host);
  return [
    ...program.getOptionsDiagnostics(),
    ...program
      .getSourceFiles()
      .filter(({ fileName }) => !fileName.includes('node_modules'))
      .filter(file => !options.skipLibCheck || !file.isDeclarationFile)
      .flatMap(file => [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ]),
  ].map(({ code, file, messageText }) => {
    const where = file ? `${path.relative(root, file.fileName)}: ` : '';
    return `${where}TS${code}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
  });
}

const under = extension =>
  Object.fromEntries(files.map(name => [`${name}x${extension}`, read(name)]));

describe('the uses in types/', () => {
  for (const [form, extension, options] of [
    ['node16, CommonJS', '.cts', { ...NODE16, types: ['node'] }],
    ['node16, an ES module', '.mts', { ...NODE16, types: ['node'] }],
    ['bundler', '.ts', { ...BUNDLER, types: ['node'] }],
    ["node16, where tsconfig does not name Node's types", '.cts', { ...NODE16, types: [] }],
  ]) {
    it(`are as they say: ${form}`, () => {
      assert.deepEqual(faultsOf(under(extension), options), []);
    });
  }

  it('would be found out', () => {
    const wrong = {
      'wrong.mts': "import { setupRoomServer } from 'roomcast';\nsetupRoomServer();\n",
    };
    assert.match(faultsOf(wrong, NODE16).join(), /TS\d+: .*setupRoomServer/);
  });
});

describe('each use that the types are for', () => {
  const { membersOf } = declarationsOf('index.d.ts');
  /** What is under a comment that says why it is wrong, and all the rest. */
  let wrong;
  let right;
  before(() => {
    const all = files.map(read).join('\n');
    const faults = /\/\/ @ts-expect-error .+\n.*\n/g;
    wrong = all.match(faults).join('');
    right = all.replace(faults, '');
  });

  const isSetIn = (text, option) => new RegExp(`\\b${option}(?::|\\b.*\\}\\))`).test(text);
  const isToldIn = (text, event) => text.includes(`.on('${event}'`);
  const isCalledIn = (text, method) => new RegExp(`\\.${method}\\(`).test(text);

  it('of an option is there, right and wrong', () => {
    for (const option of membersOf('RoomServerOptions')) {
      assert.ok(isSetIn(right, option), `${option}, right`);
      assert.ok(isSetIn(wrong, option), `${option}, wrong`);
    }
    for (const option of membersOf('ListenOptions')) {
      assert.ok(isSetIn(right, option) && isSetIn(wrong, option), option);
    }
  });

  it('of an event is there, right and wrong', () => {
    for (const event of membersOf('RoomServerEvents')) {
      assert.ok(isToldIn(right, event), `${event}, right`);
      assert.ok(isToldIn(wrong, event), `${event}, wrong`);
    }
  });

  it('of a method is there, right and wrong', () => {
    const methods = ['RoomService', 'RoomWebSocketServer'].flatMap(membersOf);
    for (const method of methods.filter(name => /^(?!constructor)\w+$/.test(name))) {
      assert.ok(isCalledIn(right, method), `${method}, right`);
      // Which of them take nothing, or say nothing that can be taken for something else.
      if (['getStats', 'metrics', 'ref'].includes(method)) continue;
      assert.ok(isCalledIn(wrong, method), `${method}, wrong`);
    }
  });
});

describe("Node's own types", () => {
  const bot = {
    'bot.mts':
      "import { setupRoomWebSocketServer } from 'roomcast';\nsetupRoomWebSocketServer({ port: 0 });\n",
  };
  const none = /node_modules\/@types(?:\/|$)/;

  it('are asked for by name where they are not installed', () => {
    const faults = faultsOf(bot, NODE16, none);
    assert.ok(
      faults.some(fault =>
        /Cannot find name 'node:http'.*npm i --save-dev @types\/node/.test(fault),
      ),
    );
    // Of the bot's own code nothing is said.
    assert.ok(
      faults.every(fault => /^index\.d\.ts: /.test(fault)),
      faults.join('\n'),
    );
  });

  it('may be missing where libraries are not checked', () => {
    assert.deepEqual(faultsOf(bot, { ...NODE16, skipLibCheck: true }, none), []);
  });
});
