'use strict';

// A bot that does over HTTP what it is told, for tests that run it in another runtime than their own.
//
// Settings: { form }, the rest for the hub. Lines: { port, control }. Routes of `control`:
//   /update?name=…&room=…   broadcasts an update of a join
//   /fill?count=…           broadcasts as many large ones in the room 'filler'
//   /told                   { events, stats, memory }
//   /close                  ends as docs/deploy.md says
//   /exit                   process.exit

const http = require('node:http');
const { WebSocketServer } = require('ws');
const { listen, openHub } = require('../server');

const FILL = { event: 'FILL', pad: 'x'.repeat(60_000) };
const NEWS = ['connection', 'join', 'leave', 'slow', 'disconnect', 'close'];

/** A server of the ws library on the same port: it says its name to whoever comes. */
function serveBeside(server) {
  const beside = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/beside') return;
    beside.handleUpgrade(request, socket, head, client => client.send('beside'));
  });
}

async function run({ form, ...options }) {
  const hooks = {
    authenticate: async request => new URL(request.url, 'http://bot').searchParams.get('userId'),
    authorizeJoin: async (_, roomId) => roomId !== 'closed',
  };
  const { hub, port, server } = await openHub(form, { logger: false, ...hooks, ...options });
  if (server) serveBeside(server);
  const events = [];
  for (const name of NEWS) {
    hub.on(name, (client, detail) => {
      events.push([name, client?.userId, detail].filter(one => one !== undefined).join(' '));
    });
  }

  const routes = {
    '/update': query =>
      hub.broadcastRoomUpdate(query.get('room'), query.get('name'), 25, 50, 'join'),
    '/fill': query => {
      for (let count = Number(query.get('count')); count > 0; count -= 1) {
        hub.broadcastRoomUpdate('filler', FILL);
      }
    },
    '/told': () => ({ events, stats: hub.getStats(), memory: process.memoryUsage().rss }),
    '/close': () => {
      hub.close();
      server?.close();
      control.close();
    },
    '/exit': () => setImmediate(() => process.exit(0)),
  };
  const control = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://bot');
    response.setHeader('Connection', 'close');
    response.end(JSON.stringify(routes[pathname](searchParams) ?? null));
  });
  process.stdout.write(`${JSON.stringify({ port, control: await listen(control) })}\n`);
}

run(JSON.parse(process.argv[2]));
