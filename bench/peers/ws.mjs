// The `ws` library as bots use it: on the http server, a set of clients per room, an update encoded
// once.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { WebSocketServer } from 'ws';
import { established, joined, roomToJoin, update, userOf } from '../bot/messages.mjs';
import { serve } from '../bot/serve.mjs';

const manifest = new URL('../node_modules/ws/package.json', import.meta.url);
const rooms = new Map();
const server = http.createServer();
const wss = new WebSocketServer({ server, path: '/ws/rooms', perMessageDeflate: false });

wss.on('connection', (client, request) => {
  const userId = userOf(request.url.split('?')[1]);
  const joinedRooms = new Set();
  client.send(established(userId));
  client.on('message', text => {
    const roomId = roomToJoin(text);
    if (roomId === undefined) return;
    if (!rooms.has(roomId)) rooms.set(roomId, new Set());
    rooms.get(roomId).add(client);
    joinedRooms.add(roomId);
    client.send(joined(roomId, userId));
  });
  client.on('error', () => client.terminate());
  client.on('close', () => {
    for (const roomId of joinedRooms) rooms.get(roomId).delete(client);
  });
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  serve({
    port: server.address().port,
    version: JSON.parse(readFileSync(manifest)).version,
    broadcast(roomId, name, current, max) {
      const text = Buffer.from(JSON.stringify(update(roomId, name, current, max)));
      for (const client of rooms.get(roomId) ?? []) client.send(text, { binary: false });
    },
  }),
);
