// Bun's own server and its publish; run by Bun.

import { established, joined, roomToJoin, update, userOf } from '../bot/messages.mjs';
import { serve } from '../bot/serve.mjs';

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, server) {
    const { pathname, search } = new URL(request.url);
    const userId = userOf(search);
    if (pathname === '/ws/rooms' && server.upgrade(request, { data: { userId } })) return;
    return new Response(null, { status: 404 });
  },
  websocket: {
    perMessageDeflate: false,
    open: client => void client.send(established(client.data.userId)),
    message(client, text) {
      const roomId = roomToJoin(text);
      if (roomId === undefined) return;
      client.subscribe(`room/${roomId}`);
      client.send(joined(roomId, client.data.userId));
    },
  },
});

serve({
  port: server.port,
  version: Bun.version,
  broadcast: (roomId, name, current, max) =>
    server.publish(`room/${roomId}`, JSON.stringify(update(roomId, name, current, max))),
});
