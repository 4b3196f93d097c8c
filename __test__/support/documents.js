'use strict';

// What the project says to its readers, document by document, and the code in it.

const fs = require('node:fs');
const path = require('node:path');
const { codeBlocks, codeUnder } = require('./markdown');

const root = path.join(__dirname, '../..');

/** Every document that people read, by its path in the project. */
const documents = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md'],
  ...['examples/bot/README.md', 'bench/README.md', 'soak/README.md'],
  ...fs
    .readdirSync(path.join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
];

const textOf = document => fs.readFileSync(path.join(root, document), 'utf8');

/** The code blocks of a document, as of `codeBlocks`, each with its `heading` and its `place`. */
const blocksOf = document =>
  codeBlocks(path.join(root, document)).map(block => ({
    ...block,
    heading: block.headings.at(-1),
    place: `${document}:${block.line}`,
  }));

/** The code of the `nth` block in a language under a heading of a document. */
const codeIn = (document, heading, language, nth) =>
  codeUnder(blocksOf(document), heading, language, nth);

/** A document without its code, in which a bracket is no link. */
const proseOf = document => withoutBlocks(document).replace(/`[^`\n]*`/g, '');

/** What stands between backticks in a document's lines. */
const wordsOf = document =>
  [...withoutBlocks(document).matchAll(/`([^`\n]+)`/g)].map(([, word]) => word);

const withoutBlocks = document => textOf(document).replace(/^\s*```[\s\S]*?^\s*```/gm, '');

module.exports = { root, documents, textOf, blocksOf, codeIn, proseOf, wordsOf, withoutBlocks };
