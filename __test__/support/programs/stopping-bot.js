'use strict';

// A bot that stops, in the way its settings name, once as many clients are there as they say.
// Whether the process ends by itself afterwards is for who started it to see: nothing here ends it
// but `process.exit` where that is the way.
//
// Settings: { form, way, clients }. Lines: { port }, then { resolved: true } when what stops it has
// come to its end.

const { promisify } = require('node:util');
const { openHub } = require('../server');
const { until } = require('../wait');

const { form, way, clients } = JSON.parse(process.argv[2]);
const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);

async function run() {
  const controller = new AbortController();
  const options = { logger: false, signal: controller.signal };
  if (way === 'authenticating') options.authenticate = () => new Promise(() => {});
  const { hub, port, server } = await openHub(form, options);
  say({ port });
  await until(() => hub.getStats().openConnections === clients, 'all clients');

  const closeServer = async () => server && promisify(server.close.bind(server))();
  const closed = new Promise(resolve => hub.once('close', resolve));
  switch (way) {
    case 'server.close':
    case 'authenticating':
      if (server) await closeServer();
      else await hub.close();
      break;
    case 'hub.close':
      await hub.close();
      await closeServer();
      break;
    case 'hub.close twice':
      await Promise.all([hub.close(), hub.close()]);
      await hub.close();
      await closeServer();
      break;
    case 'signal':
      controller.abort();
      await closed;
      await closeServer();
      break;
    case 'process.exit':
      process.exit(0);
      break;
    case 'unref':
      hub.unref();
      server?.unref();
      break;
    default:
      throw new Error(`no such way: ${way}`);
  }
  say({ resolved: true });
}

run().catch(error => {
  process.exitCode = 1;
  process.stderr.write(`${error.stack}\n`);
});
