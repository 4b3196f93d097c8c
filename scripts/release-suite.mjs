// `node scripts/release-suite.mjs prebuilds/roomcast.linux-x64-musl.node`: the JavaScript tests on an addon as
// it is to be published. Needs no Rust, and nothing built here: what the tests load is that file.
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { javaScriptTests, testJavaScript } from './javascript-tests.mjs';

/** What is not about the addon but about how it is found, packed and described: `.ci/run` has that. */
const OTHERS = /[/\\](addon|compat|docs|install|licenses|readme|release|types|workflows)\b[^/\\]*$/;

const [file, ...others] = process.argv.slice(2);
if (file === undefined || others.length > 0) {
  console.error('Usage: node scripts/release-suite.mjs FILE');
  process.exit(2);
}
const addon = resolve(file);
process.env.NAPI_RS_NATIVE_LIBRARY_PATH = addon;

createRequire(import.meta.url)('..');
const loaded = process.report.getReport().sharedObjects.filter(one => one.endsWith('.node'));
// Windows may write one path in two ways.
const real = path => realpathSync.native(path).toLowerCase();
if (loaded.length !== 1 || real(loaded[0]) !== real(addon)) {
  console.error(`Not ${addon} was loaded, but ${loaded.join(', ') || 'nothing'}`);
  process.exit(1);
}
const { glibcVersionRuntime } = process.report.getReport().header;
const libc = glibcVersionRuntime ? `glibc ${glibcVersionRuntime}` : 'no glibc';
console.log(`${addon} on ${process.platform} ${process.arch}, Node ${process.version}, ${libc}`);
process.exitCode = await testJavaScript(
  process.execPath,
  javaScriptTests.filter(one => !OTHERS.test(one)),
);
