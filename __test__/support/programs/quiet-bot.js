'use strict';

// A bot that says what it still has of its clients' connections, and how often its event loop has
// turned.
//
// Settings: { clients }. Lines: { port }, then { collected } when the objects of all connections
// are garbage and gone. `GET /turns` answers the number of turns so far.

const http = require('node:http');
const { performance } = require('node:perf_hooks');
const v8 = require('node:v8');
const vm = require('node:vm');
const { setupRoomWebSocketServer } = require('../../..');
const { listen } = require('../server');
const { until } = require('../wait');

const { clients } = JSON.parse(process.argv[2]);
const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc');

let collected = 0;
const registry = new FinalizationRegistry(() => {
  collected += 1;
});

const server = http.createServer((_request, response) => {
  response.end(String(performance.nodeTiming.uvMetricsInfo.loopCount));
});
const hub = setupRoomWebSocketServer(server, {
  logger: false,
  authenticate: async request => {
    registry.register(request);
    registry.register(request.socket);
    return 'somebody';
  },
});

async function run() {
  say({ port: await listen(server) });
  await until(() => hub.getStats().totalConnections === clients, 'all clients');
  await until(
    () => {
      collectGarbage();
      return collected === 2 * clients;
    },
    () => `${collected} of ${2 * clients} objects collected`,
  );
  say({ collected });
}

run();
