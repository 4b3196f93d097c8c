'use strict';

// A bot in a worker thread, one of several on one Redis. Its options are the worker's; it tells its
// port once its hub is up, and goes on until the thread is terminated.

const { parentPort, workerData } = require('node:worker_threads');
const { openHub } = require('../server');

async function run(options) {
  const { hub, port } = await openHub('http', { logger: false, ...options });
  hub.once('cluster', state => parentPort.postMessage({ state, port }));
}

run(workerData);
