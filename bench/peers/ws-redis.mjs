// The `ws` library in many processes, as bots connect them by hand: an update is encoded once and
// published to the room's channel, and a process is subscribed to the rooms that it has clients in.

import { Redis } from 'ioredis';
import { update } from '../bot/messages.mjs';
import { serve } from '../bot/serve.mjs';
import { versionOf } from './version.mjs';
import { serveRooms } from './ws-rooms.mjs';

const url = process.argv[2];
// Commands of one turn of the loop leave together.
const publisher = new Redis(url, { enableAutoPipelining: true });
const subscriber = new Redis(url);

const channelOf = roomId => `room/${roomId}`;
const roomOf = channel => Number(channel.slice('room/'.length));

const { port, deliver } = await serveRooms({
  opened: roomId => subscriber.subscribe(channelOf(roomId)),
  emptied: roomId => subscriber.unsubscribe(channelOf(roomId)),
});
subscriber.on('messageBuffer', (channel, text) => deliver(roomOf(channel.toString()), text));
await Promise.all([publisher.ping(), subscriber.ping()]);

serve({
  port,
  version: `${versionOf('ws')} (ioredis ${versionOf('ioredis')})`,
  broadcast: (roomId, ...state) =>
    publisher.publish(channelOf(roomId), Buffer.from(JSON.stringify(update(roomId, ...state)))),
});
