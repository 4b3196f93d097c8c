// Socket.IO with the websocket transport alone: its rooms, its framing.

import { readFileSync } from 'node:fs';
import http from 'node:http';
import { Server } from 'socket.io';
import { established, joined, roomToJoin, update } from '../bot/messages.mjs';
import { serve } from '../bot/serve.mjs';

const manifest = new URL('../node_modules/socket.io/package.json', import.meta.url);
const server = http.createServer();
const io = new Server(server, { transports: ['websocket'], serveClient: false });

io.on('connection', socket => {
  const { userId } = socket.handshake.query;
  socket.send(JSON.parse(established(userId)));
  socket.on('message', message => {
    const roomId = roomToJoin(JSON.stringify(message));
    if (roomId === undefined) return;
    socket.join(`room/${roomId}`);
    socket.send(JSON.parse(joined(roomId, userId)));
  });
});

server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  serve({
    port: server.address().port,
    version: JSON.parse(readFileSync(manifest)).version,
    broadcast: (roomId, name, current, max) =>
      io.to(`room/${roomId}`).emit('message', update(roomId, name, current, max)),
  }),
);
