'use strict';

// A registry on 127.0.0.1 that gives out tarballs, and knows which were fetched.

const { execFile } = require('node:child_process');
const { createHash } = require('node:crypto');
const { readFile } = require('node:fs/promises');
const http = require('node:http');
const path = require('node:path');
const { promisify } = require('node:util');
const { closeServer, listen } = require('./server');

const run = promisify(execFile);

const TARBALLS = '/-/tarballs/';

/**
 * Serves tarballs.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {string[]} tarballs files
 */
async function serveTarballs(t, tarballs) {
  const files = new Map(tarballs.map(file => [TARBALLS + path.basename(file), file]));
  const manifests = await Promise.all(tarballs.map(manifestOf));
  /** The files that were fetched, by their names. */
  const fetched = [];
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://registry');
    const file = files.get(pathname);
    if (file) {
      fetched.push(path.basename(file));
      response.end(await readFile(file));
      return;
    }
    const name = decodeURIComponent(pathname.slice(1));
    const versions = manifests.filter(manifest => manifest.name === name);
    response.statusCode = versions.length > 0 ? 200 : 404;
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(documentOf(name, versions, url)));
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  t.after(() => closeServer(server));
  return { url, fetched };
}

/** What a registry says of a package. */
function documentOf(name, manifests, url) {
  const versions = manifests.map(({ file, ...manifest }) => [
    manifest.version,
    { ...manifest, dist: { ...manifest.dist, tarball: url + TARBALLS + file } },
  ]);
  return {
    name,
    'dist-tags': { latest: manifests.at(-1)?.version },
    versions: Object.fromEntries(versions),
  };
}

async function manifestOf(tarball) {
  const { stdout } = await run('tar', ['-xzOf', tarball, 'package/package.json']);
  const sum = createHash('sha512')
    .update(await readFile(tarball))
    .digest('base64');
  return {
    ...JSON.parse(stdout),
    file: path.basename(tarball),
    dist: { integrity: `sha512-${sum}` },
  };
}

module.exports = { serveTarballs };
