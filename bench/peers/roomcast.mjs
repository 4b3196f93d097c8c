// roomcast, in one of its forms: attached to an http server, alone or in a cluster; relayed behind
// an https one; standalone.

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { broadcastRoomUpdate, setupRoomWebSocketServer } from '../../index.mjs';
import { serve } from '../bot/serve.mjs';

const [, , form, ...rest] = process.argv;
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url)));

const listen = server =>
  new Promise((resolve, reject) =>
    server
      .once('error', reject)
      .listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => resolve(server)),
  );

function relayed() {
  const [cert, key] = rest;
  return https.createServer({ cert: readFileSync(cert), key: readFileSync(key) });
}

let rooms;
if (form === 'standalone') {
  rooms = setupRoomWebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4096 });
} else {
  const server = form === 'relayed' ? relayed() : http.createServer();
  const cluster = form === 'clustered' ? { url: rest[0] } : undefined;
  rooms = setupRoomWebSocketServer(server, { cluster });
  const news = cluster && once(rooms, 'cluster');
  await listen(server);
  if (cluster && (await news)[0] !== 'up') throw new Error('Redis does not answer');
}

serve({
  port: rooms.address().port,
  version,
  broadcast: (roomId, name, current, max) =>
    broadcastRoomUpdate(roomId, name, current, max, 'join'),
});
