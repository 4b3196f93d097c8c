// The `ws` library as bots use it: on the http server, a set of clients per room.

import { once } from 'node:events';
import http from 'node:http';
import { WebSocketServer } from 'ws';
import { established, joined, roomToJoin, userOf } from '../bot/messages.mjs';

/**
 * Listens; `deliver(roomId, text)` sends a room's clients an encoded update. `opened` and `emptied`
 * are told of a room with its first and without its last client; nobody has joined before `opened`
 * has resolved, where it is a promise.
 */
export async function serveRooms({ opened = () => {}, emptied = () => {} } = {}) {
  const rooms = new Map();
  const server = http.createServer();
  const wss = new WebSocketServer({ server, path: '/ws/rooms', perMessageDeflate: false });

  function enter(roomId, client) {
    let room = rooms.get(roomId);
    if (!room) {
      room = { clients: new Set(), open: opened(roomId) };
      rooms.set(roomId, room);
    }
    room.clients.add(client);
    return room.open;
  }

  function leave(roomId, client) {
    const { clients } = rooms.get(roomId);
    clients.delete(client);
    if (clients.size > 0) return;
    rooms.delete(roomId);
    emptied(roomId);
  }

  wss.on('connection', (client, request) => {
    const userId = userOf(request.url.split('?')[1]);
    const joinedRooms = new Set();
    client.send(established(userId));
    client.on('message', async text => {
      const roomId = roomToJoin(text);
      if (roomId === undefined) return;
      joinedRooms.add(roomId);
      const open = enter(roomId, client);
      if (open) await open;
      client.send(joined(roomId, userId));
    });
    client.on('error', () => client.terminate());
    client.on('close', () => {
      for (const roomId of joinedRooms) leave(roomId, client);
    });
  });

  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return {
    port: server.address().port,
    deliver(roomId, text) {
      for (const client of rooms.get(roomId)?.clients ?? []) client.send(text, { binary: false });
    },
  };
}
