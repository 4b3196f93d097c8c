'use strict';

// Which addon is made for this process.

const { loaderOf } = require('./binary.js');

/** What there are addons for: package.json's `napi.targets`, as their files are named. */
const ABIS = [
  'linux-x64-gnu',
  'linux-arm64-gnu',
  'linux-x64-musl',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64-msvc',
];

/**
 * @typedef {object} Host What a process runs on.
 * @property {string} platform `process.platform`
 * @property {string} arch `process.arch`
 * @property {'gnu' | 'musl' | undefined} libc On Linux.
 */

/** @returns {Host} */
function thisHost() {
  const { platform, arch } = process;
  return { platform, arch, libc: platform === 'linux' ? libcOf('/proc/self/exe') : undefined };
}

/** How the addon's file and package are named. */
function abiOf({ platform, arch, libc }) {
  return [platform, arch, platform === 'win32' ? 'msvc' : libc].filter(Boolean).join('-');
}

/**
 * The C library of a program: the dynamic loader that it asks for is either musl's or glibc's. To try both addons
 * would not do: the wrong one may load, and crash later.
 *
 * `process.report` tells, too, but takes some 5 ms of every start, and before Node 20.13 it asks the
 * DNS for the names of all open connections first. It is left for programs that name no loader, as
 * where one was started by hand. detect-libc does these two things in this order, and then runs
 * `ldd`: no reason for one more package that everybody has to trust.
 *
 * @param {string} program
 * @returns {'gnu' | 'musl'}
 */
function libcOf(program) {
  try {
    const loader = loaderOf(program);
    if (loader) return loader.includes('ld-musl-') ? 'musl' : 'gnu';
  } catch {
    // Unreadable, or without /proc.
  }
  return glibcVersion() ? 'gnu' : 'musl';
}

/** The version of the glibc that this process runs on; undefined on anything else. */
function glibcVersion() {
  if (!process.report) return undefined;
  const { excludeNetwork } = process.report;
  process.report.excludeNetwork = true;
  try {
    return process.report.getReport().header.glibcVersionRuntime;
  } finally {
    process.report.excludeNetwork = excludeNetwork;
  }
}

module.exports = { ABIS, abiOf, glibcVersion, libcOf, thisHost };
