// Socket.IO with the websocket transport alone: its rooms, its framing; in one process, or in many
// with one of its Redis adapters.

import http from 'node:http';
import { Server } from 'socket.io';
import { established, joined, roomToJoin, update } from '../bot/messages.mjs';
import { serve } from '../bot/serve.mjs';
import { versionOf } from './version.mjs';

const [, , kind, url] = process.argv;
const server = http.createServer();
const io = new Server(server, {
  transports: ['websocket'],
  serveClient: false,
  ...(kind && { adapter: await adapter() }),
});

/** Connected as the adapters' documentation has it; loaded where it is used. */
async function adapter() {
  const { createClient } = await import('redis');
  const { createAdapter, createShardedAdapter } = await import('@socket.io/redis-adapter');
  const publisher = createClient({ url });
  const subscriber = publisher.duplicate();
  await Promise.all([publisher.connect(), subscriber.connect()]);
  const create = kind === 'sharded' ? createShardedAdapter : createAdapter;
  return create(publisher, subscriber);
}

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

const connectedBy = ['@socket.io/redis-adapter', 'redis'].map(name => `${name} ${versionOf(name)}`);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  serve({
    port: server.address().port,
    version: versionOf('socket.io') + (kind ? ` (${connectedBy.join(', ')})` : ''),
    broadcast: (roomId, name, current, max) =>
      io.to(`room/${roomId}`).emit('message', update(roomId, name, current, max)),
  }),
);
