'use strict';

// What a declaration file says, by TypeScript's own reading of it.

const path = require('node:path');
const ts = require('typescript');

const root = path.join(__dirname, '../..');

const OPTIONS = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  strict: true,
  types: ['node'],
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
};

/** A part of a declaration file: an exported name, or a member, an overload or a field of one. */
class Declared {
  constructor(name, node) {
    this.name = name;
    this.node = node;
  }

  /** What the comment above it says; undefined where there is none. */
  get prose() {
    const [comment] = ts.getJSDocCommentsAndTags(this.node).filter(ts.isJSDoc);
    return comment?.getText().replace(/^\s*\/?\*+\/?/gm, '');
  }
}

/**
 * @param {string} file Relative to the project's folder.
 */
function declarationsOf(file) {
  const source = ts.createSourceFile(
    file,
    ts.sys.readFile(path.join(root, file)),
    ts.ScriptTarget.ES2022,
    true,
  );
  const top = new Map();
  for (const statement of source.statements) {
    if (ts.isVariableStatement(statement)) {
      const [{ name }] = statement.declarationList.declarations;
      top.set(name.text, statement);
    } else if (statement.name) {
      top.set(statement.name.text, [top.get(statement.name.text) ?? [], statement].flat());
    }
  }

  /** The names of an interface's or a class' members, without those of others that it takes over. */
  const membersOf = name => [
    ...new Set([top.get(name)].flat().flatMap(({ members = [] }) => members.map(nameOf))),
  ];

  /** The texts that a union of string literals consists of. */
  const literalsOf = name => {
    const [{ type }] = [top.get(name)].flat();
    return type.types.map(part => part.literal.text);
  };

  return { top, membersOf, literalsOf, parts: [...partsOf(source)] };
}

/** Everything that has a name, however deep, as `Interface.member`. */
function* partsOf(source) {
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)) continue;
    const [declaration] = statement.declarationList?.declarations ?? [statement];
    const { text } = declaration.name;
    yield new Declared(text, statement);
    yield* fieldsOf(text, statement);
  }
}

function* fieldsOf(owner, node) {
  for (const child of childrenOf(node)) {
    if (ts.isTypeElement(child) || ts.isClassElement(child)) {
      const isPrivate = ts.getCombinedModifierFlags(child) & ts.ModifierFlags.Private;
      if (isPrivate) continue;
      const name = `${owner}.${nameOf(child)}`;
      yield new Declared(name, child);
      yield* fieldsOf(name, child);
    } else {
      yield* fieldsOf(owner, child);
    }
  }
}

function childrenOf(node) {
  const children = [];
  node.forEachChild(child => {
    children.push(child);
  });
  return children;
}

function nameOf(member) {
  if (ts.isConstructorDeclaration(member)) return 'constructor';
  if (ts.isIndexSignatureDeclaration(member)) return '[field]';
  return member.name.text ?? member.name.getText();
}

/**
 * The names in an object or a list that a file of JavaScript keeps to itself.
 *
 * @param {string} file Relative to the project's folder.
 * @param {string} constant
 * @returns {string[]}
 */
function namesIn(file, constant) {
  const text = ts.sys.readFile(path.join(root, file));
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const { initializer } = source.statements
    .flatMap(statement => statement.declarationList?.declarations ?? [])
    .find(({ name }) => name.text === constant);
  return initializer.properties?.map(nameOf) ?? initializer.elements.map(({ text }) => text);
}

/**
 * What an editor shows where the pointer rests, in a program that is only thought of.
 *
 * @param {string} code With a `|` before each name that is asked about.
 * @returns {{ signature: string, prose: string }[]}
 */
function hover(code) {
  const file = path.join(root, '__test__/types/hovered.mts');
  const text = code.replaceAll('|', '');
  const service = ts.createLanguageService({
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: name => {
      const content = name === file ? text : ts.sys.readFile(name);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => root,
    getCompilationSettings: () => OPTIONS,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: name => name === file || ts.sys.fileExists(name),
    readFile: ts.sys.readFile,
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  const faults = service.getSemanticDiagnostics(file);
  if (faults.length > 0) throw new Error(ts.flattenDiagnosticMessageText(faults[0].messageText));
  const shown = [];
  let passed = 0;
  for (let at = code.indexOf('|'); at >= 0; at = code.indexOf('|', at + 1)) {
    const { displayParts, documentation } = service.getQuickInfoAtPosition(file, at - passed);
    shown.push({
      signature: ts.displayPartsToString(displayParts),
      prose: ts.displayPartsToString(documentation),
    });
    passed += 1;
  }
  return shown;
}

module.exports = { declarationsOf, hover, namesIn };
