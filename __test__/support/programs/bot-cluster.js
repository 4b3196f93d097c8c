'use strict';

// Runs the bot as a worker of Node's cluster module, as pm2 does, and passes SIGTERM on to it.

const cluster = require('node:cluster');
const path = require('node:path');

cluster.setupPrimary({
  exec: path.join(__dirname, '../../../examples/bot/src/bot/core/bot.js'),
  silent: true,
});
const settings = JSON.parse(process.argv[2]);
const worker = cluster.fork({ HOST: '127.0.0.1', PORT: '0', ...settings });
worker.process.stdout.setEncoding('utf8').on('data', text => {
  if (!text.includes('http:')) return;
  console.log(JSON.stringify({ running: true }));
  worker.process.kill('SIGTERM');
});
worker.on('exit', (code, signal) => console.log(JSON.stringify({ code, signal })));
