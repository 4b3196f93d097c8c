'use strict';

// Files that the system's dynamic loader has something against, each by way of the compiler that Rust
// links with.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { unless, versionOf } = require('./installed');

const isLinux = process.platform === 'linux';

/** The options of a test of what Linux's loaders say. */
const needsLinux = { skip: !isLinux && 'a test of Linux' };

/** The options of a test that compiles. */
const needsCompiler = isLinux ? { skip: unless(() => versionOf('cc'), 'cc is') } : needsLinux;

/**
 * Compiles C.
 *
 * @param {string} folder
 * @param {string} name the file's
 * @param {string} code
 * @param {...string} options
 * @returns {string} the file
 */
function compile(folder, name, code, ...options) {
  const source = path.join(folder, `${name}.c`);
  fs.writeFileSync(source, code);
  execFileSync('cc', ['-o', name, source, ...options], { cwd: folder });
  return path.join(folder, name);
}

/** A shared object that does nothing. */
const compileShared = (folder, name, ...options) =>
  compile(folder, name, 'int nothing;', '-shared', '-fPIC', ...options);

/** A shared object that needs a library which is there no more. */
function compileNeeding(folder, name, library) {
  const there = compileShared(folder, library, `-Wl,-soname,${library}`);
  const file = compileShared(folder, name, '-Wl,--no-as-needed', '-L.', `-l:${library}`);
  fs.rmSync(there);
  return file;
}

module.exports = { needsCompiler, needsLinux, compile, compileNeeding, compileShared };
