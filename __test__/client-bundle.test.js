'use strict';

// The two ways in which pages get the client: as a module of its own, and in a bundle.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, it } = require('node:test');
const esbuild = require('esbuild-wasm');
const express = require('express');
const { needsBrowser, useBrowser } = require('./support/browser');
const { startServer } = require('./support/server');

const root = path.join(__dirname, '..');
const PAGE = `
  const client = new RoomClient();
  client.addEventListener('update', ({ detail }) => {
    document.title = \`\${detail.currentParticipants} of \${detail.maxParticipants}\`;
  });
  client.join(1);
`;

/** A bundle of a page that is installed somewhere else, beside the package. */
async function bundle(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'roomcast-bundle-'));
  t.after(() => fs.rmSync(folder, { recursive: true }));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'roomcast'));
  const page = path.join(folder, 'page.js');
  fs.writeFileSync(page, `import { RoomClient } from 'roomcast/client';\n${PAGE}`);
  const outfile = path.join(folder, 'bundle.js');
  await esbuild.build({ entryPoints: [page], outfile, bundle: true, minify: true, format: 'iife' });
  return outfile;
}

describe('the client works', needsBrowser, () => {
  const open = useBrowser();

  async function shows(t, html, serve) {
    const app = express();
    app.get('/', (_, response) => response.send(html));
    serve(app);
    const { hub, port } = await startServer(t, { authenticate: () => 'ann', app });
    hub.broadcastParticipantCount(1, 3, 50);
    const page = await open(t);
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.waitForFunction(() => document.title === '3 of 50');
  }

  it('as a module that Express serves', async t => {
    const html = `<!doctype html><script type="module">
      import { RoomClient } from '/roomcast/room-client.js';${PAGE}</script>`;
    await shows(t, html, app => {
      app.use('/roomcast', express.static(path.dirname(require.resolve('roomcast/client'))));
    });
  });

  it('in a bundle', async t => {
    const file = await bundle(t);
    t.diagnostic(`${fs.statSync(file).size} bytes`);
    await shows(t, '<!doctype html><script src="/bundle.js" defer></script>', app => {
      app.get('/bundle.js', (_, response) => response.sendFile(file));
    });
  });

  it('as far as a server that renders pages goes: it can be imported there', async () => {
    const { RoomClient } = await import('roomcast/client');
    assert.equal(RoomClient.name, 'RoomClient');
  });
});
