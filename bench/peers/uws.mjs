// uWebSockets.js with its own server and its publish.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { established, joined, roomToJoin, update, userOf } from '../bot/messages.mjs';
import { serve } from '../bot/serve.mjs';

const uws = createRequire(import.meta.url)('uwebsockets');
const manifest = new URL('../node_modules/uwebsockets/package.json', import.meta.url);

const app = uws.App().ws('/ws/rooms', {
  compression: uws.DISABLED,
  // Room for a whole burst: it drops what is beyond.
  maxBackpressure: 16 * 1024 * 1024,
  upgrade(response, request, context) {
    response.upgrade(
      { userId: userOf(request.getQuery()) },
      request.getHeader('sec-websocket-key'),
      request.getHeader('sec-websocket-protocol'),
      request.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  open: client => client.send(established(client.getUserData().userId)),
  message(client, bytes) {
    const roomId = roomToJoin(Buffer.from(bytes).toString());
    if (roomId === undefined) return;
    client.subscribe(`room/${roomId}`);
    client.send(joined(roomId, client.getUserData().userId));
  },
});

app.listen('127.0.0.1', 0, token =>
  serve({
    port: uws.us_socket_local_port(token),
    version: JSON.parse(readFileSync(manifest)).version,
    broadcast: (roomId, name, current, max) =>
      app.publish(`room/${roomId}`, JSON.stringify(update(roomId, name, current, max))),
  }),
);
