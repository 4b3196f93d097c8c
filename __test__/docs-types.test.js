'use strict';

// Every piece of JavaScript and TypeScript in the documents, as the compiler reads it: names that are not
// there, options misspelt, arguments of another type.

const assert = require('node:assert/strict');
const path = require('node:path');
const { before, describe, it } = require('node:test');
const ts = require('typescript');
const { blocksOf, documents, root } = require('./support/documents');

/** Where the blocks are taken to be: in the package, so that they find it by its name. */
const folder = path.join(root, '__test__/types/documents');
const inFolder = name => path.join(folder, name);

/** What a bot that is told of has already. */
const BOT = `
import nodeHttp = require('node:http');
import roomcast = require('roomcast');

declare global {
  // The bot's own.
  const app: any, apiApp: any, express: any;
  const path: typeof import('node:path');
  const http: typeof nodeHttp;
  const server: nodeHttp.Server;
  const PORT: number;
  const roomId: number, current: number, max: number;
  const MainRoomModel: {
    list(): Promise<{ id: number, currentParticipants: number, maxParticipants: number }[]>;
  };
  const usersByToken: (token: string | null, options: { signal: AbortSignal })
    => Promise<{ id: number, tokenExpiresAt: number } | undefined>;
  const mayEnter: (userId: string, roomId: roomcast.RoomId) => Promise<boolean>;
  const sessionStore: {
    get(sid: string, done: (error: Error | null, session?: object) => void): void;
  };
  const crc32: (text: string) => number;

  // Of the package, where it is no more said where they come from.
  const rooms: roomcast.RoomWebSocketServer;
  const setupRoomWebSocketServer: typeof roomcast.setupRoomWebSocketServer;
  const roomWebSocketService: typeof roomcast.roomWebSocketService;
}
`;

/** What is installed without types, and the bot's own files. */
const UNTYPED = `
declare module 'express';
declare module '*/config/postgres' {
  export function query(text: string, values: unknown[]): Promise<{ rows: object[] }>;
}
declare module '*/config/redis' { export function get(key: string): Promise<string>; }
declare module '*/websocket/roomWebSocketHandler' { export = roomcast; import roomcast = require('roomcast'); }
declare module '*/roomWebSocketHandler.roomcast' { export = roomcast; import roomcast = require('roomcast'); }
declare module '*/roomWebSocketHandler.ws' { export function setupRoomWebSocketServer(server: object): object; }
declare module '*/roomWebSocketService.ws';
`;

/** What a page that is told of has already. */
const PAGE = `
export {};
declare global {
  const ws: WebSocket;
  const roomId: number;
  const show: (update: import('roomcast/client').RoomUpdate) => void;
}
`;

const COMMON = {
  allowJs: true,
  checkJs: true,
  esModuleInterop: true,
  moduleDetection: ts.ModuleDetectionKind.Force,
  noEmit: true,
  skipLibCheck: true,
  // Whether something may be missing is told in prose: the blocks are short.
  strict: false,
  target: ts.ScriptTarget.ES2022,
};

const SIDES = {
  'a bot': {
    files: { 'bot.d.cts': BOT, 'untyped.d.ts': UNTYPED },
    options: {
      ...COMMON,
      lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
      module: ts.ModuleKind.Node16,
      moduleResolution: ts.ModuleResolutionKind.Node16,
      types: ['node'],
    },
  },
  'a page': {
    files: { 'page.d.ts': PAGE },
    options: {
      ...COMMON,
      lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      paths: { '/roomcast/*': [path.join(root, 'client/*')] },
      types: [],
    },
  },
};

/** A page's code is that which uses what only a page has. */
const isOfPage = ({ language, code }) =>
  language === 'html' || /\bnew WebSocket\(|\bws\.send\(|roomcast\/client'(?!\))/.test(code);

/** The script of a page. */
const scriptOf = html => /<script type="module">\n([\s\S]*)<\/script>/.exec(html)[1];

/** A block as a file: what stands in a function of the bot's, in one. */
function fileOf({ language, code }, nth) {
  if (language === 'html') return { name: `block-${nth}.js`, text: scriptOf(code), shift: 1 };
  if (language === 'ts') return { name: `block-${nth}.ts`, text: code, shift: 0 };
  const whole = /^(module\.exports|import )/m.test(code);
  const text = whole ? code : `async function block() {\n${code}\n}`;
  return { name: `block-${nth}.js`, text, shift: whole ? 0 : -1 };
}

/**
 * What the compiler has against blocks, by their places.
 *
 * @param {typeof SIDES[string]} side
 * @param {ReturnType<typeof blocksOf>} blocks
 * @returns {Map<string, string[]>}
 */
function complaintsOf({ files, options }, blocks) {
  const placed = new Map(
    blocks.map((block, nth) => {
      const file = fileOf(block, nth);
      return [inFolder(file.name), { ...file, block }];
    }),
  );
  const texts = new Map([
    ...Object.entries(files).map(([name, text]) => [inFolder(name), text]),
    ...[...placed].map(([name, { text }]) => [name, text]),
  ]);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = name => texts.has(path.normalize(name)) || fileExists(name);
  host.readFile = name => texts.get(path.normalize(name)) ?? readFile(name);
  host.getSourceFile = (name, languageVersion, ...rest) =>
    texts.has(path.normalize(name))
      ? ts.createSourceFile(name, texts.get(path.normalize(name)), languageVersion)
      : getSourceFile(name, languageVersion, ...rest);
  const program = ts.createProgram([...texts.keys()], options, host);

  const complaints = new Map(blocks.map(({ place }) => [place, []]));
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const text = ts.flattenDiagnosticMessageText(messageText, '\n');
    const { block, shift } = placed.get(path.normalize(file?.fileName ?? '')) ?? {};
    if (!block) throw new Error(`${file?.fileName}: ${text}`);
    const { line } = file.getLineAndCharacterOfPosition(start);
    complaints.get(block.place).push(`line ${block.line + 1 + line + shift}: ${text}`);
  }
  return complaints;
}

const blocks = documents
  .flatMap(blocksOf)
  .filter(({ language }) => ['js', 'ts', 'html'].includes(language));

for (const [name, side] of Object.entries(SIDES)) {
  const own = blocks.filter(block => isOfPage(block) === (side === SIDES['a page']));

  describe(`the code of ${name}`, () => {
    let complaints;
    before(() => {
      complaints = complaintsOf(side, own);
    });

    for (const { place } of own) {
      it(place, () => assert.deepEqual(complaints.get(place), []));
    }
  });
}

it('what is misspelt is found, and so is what is of another type', () => {
  /** Wrong code, with what the compiler has against it. */
  const wrong = {
    'a bot': {
      'setupRoomWebSocketServer(server, { trustProxi: 1 });':
        /^line 11: .*'trustProxi' does not exist/s,
      'setupRoomWebSocketServer(server, { threads: "1" });': /^line 11: .*not assignable/,
      'rooms.getMetrics();': /'getMetrics' does not exist/,
      'raum.metrics();': /'raum'/,
    },
    'a page': {
      "import { RoomClient } from 'roomcast/client';\nnew RoomClient({ pol: false });":
        /^line 12: .*'pol'/s,
      "import { RoomClient } from 'roomcast/client';\nnew RoomClient().joinn(1);": /joinn/,
    },
  };
  for (const [name, codes] of Object.entries(wrong)) {
    const blocks = Object.keys(codes).map(code => ({
      language: 'js',
      code,
      line: 10,
      place: code,
    }));
    const complaints = complaintsOf(SIDES[name], blocks);
    for (const [code, complaint] of Object.entries(codes)) {
      assert.match(complaints.get(code)[0], complaint);
    }
  }
});
