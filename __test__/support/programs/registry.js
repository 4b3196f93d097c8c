'use strict';

// A registry of packages on loopback, for what is published here; everything else it gets from the one
// that npm is set up for.

const path = require('node:path');
const { createRequire } = require('node:module');
const { modules } = require('../compat');

const { folder, uplink } = JSON.parse(process.argv[2]);
const { runServer } = createRequire(path.join(modules, 'roomcast'))('verdaccio');

const own = { access: '$all', publish: '$authenticated' };
runServer({
  self_path: folder,
  configPath: folder,
  storage: path.join(folder, 'storage'),
  auth: { htpasswd: { file: path.join(folder, 'htpasswd') } },
  uplinks: { npm: { url: uplink } },
  packages: {
    roomcast: own,
    '@roomcast/*': own,
    '**': { access: '$all', proxy: 'npm' },
  },
  web: { enable: false },
  log: { type: 'file', path: path.join(folder, 'log'), level: 'http' },
}).then(server => {
  server.listen(0, '127.0.0.1', () => console.log(JSON.stringify(server.address())));
});
