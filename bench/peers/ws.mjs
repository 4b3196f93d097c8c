// The `ws` library in one process: an update is encoded once.

import { update } from '../bot/messages.mjs';
import { serve } from '../bot/serve.mjs';
import { versionOf } from './version.mjs';
import { serveRooms } from './ws-rooms.mjs';

const { port, deliver } = await serveRooms();

serve({
  port,
  version: versionOf('ws'),
  broadcast: (roomId, ...state) =>
    deliver(roomId, Buffer.from(JSON.stringify(update(roomId, ...state)))),
});
