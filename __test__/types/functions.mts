// Functions and methods, right and wrong. What compiles here is right; what is wrong says so.
import http from 'node:http';
import {
  broadcastRoomUpdate,
  type NoAddonError,
  type RoomClient,
  type RoomId,
  type RoomService,
  type RoomState,
  RoomWebSocketServer,
  roomWebSocketService,
  type Stats,
  setupRoomWebSocketServer,
} from 'roomcast';

const server = http.createServer();

// Updates
const handedOver: boolean = broadcastRoomUpdate(1, 'Ann', 1, 50, 'join');
broadcastRoomUpdate('lobby', null, '1', '50', 'leave');
// @ts-expect-error neither a join nor a leave
broadcastRoomUpdate(1, 'Ann', 1, 50, 'joined');
// @ts-expect-error a count that is a word
broadcastRoomUpdate(1, 'Ann', 'one', 50, 'join');
// @ts-expect-error the custom form is the service's
broadcastRoomUpdate(1, { event: 'ROOM_RENAMED' });

const service: RoomService = roomWebSocketService;
service.broadcastRoomUpdate(1, 'Ann', 1, 50, 'join');
service.broadcastRoomUpdate(1, { event: 'ROOM_RENAMED', name: 'Lobby' });
// @ts-expect-error without an event
service.broadcastRoomUpdate(1, { name: 'Lobby' });
// @ts-expect-error seq is the hub's to write
service.broadcastRoomUpdate(1, { event: 'ROOM_RENAMED', seq: 1 });
service.notifyParticipantJoin(1, 'Ann', 1, 50);
// @ts-expect-error of how many?
service.notifyParticipantJoin(1, 'Ann', 1);
service.notifyParticipantLeave(1, undefined, 0, 50);
// @ts-expect-error an object is no name
service.notifyParticipantLeave(1, { name: 'Ann' }, 0, 50);
service.notifyRoomStatusChange(1, 'FULL', 50, 50);
// @ts-expect-error no such status
service.notifyRoomStatusChange(1, 'CLOSED', 50, 50);
service.broadcastParticipantCount(1, 3, 50);
// @ts-expect-error nobody knows is no count
service.broadcastParticipantCount(1, null, 50);
const counted: number = service.getClientCount(1) + service.disconnectRoom('lobby');
// @ts-expect-error a room is not its id
service.getClientCount({ id: 1 });
// @ts-expect-error which room?
service.disconnectRoom();
const rooms: RoomId[] = service.getActiveRooms();
// @ts-expect-error an id may be a string
const numbers: number[] = service.getActiveRooms();
const stats: Stats = service.getStats();
// @ts-expect-error no such figure
stats.connections;
const backlog: number | undefined = stats.perThread[0]?.backlog;

// The hub
const hub: RoomWebSocketServer = setupRoomWebSocketServer(server).attach(http.createServer());
// @ts-expect-error a port is no server
hub.attach(3000);
if (hub instanceof RoomWebSocketServer) hub.ref().unref();
// @ts-expect-error made by setupRoomWebSocketServer only
new RoomWebSocketServer(server);
const state: RoomState | undefined = hub.getRoomState(1);
// @ts-expect-error it may be unknown
hub.getRoomState(1).seq;
const forgotten: boolean = hub.forgetRoom(1);
// @ts-expect-error which room?
hub.forgetRoom();
const everywhere: Promise<number> = hub.getClusterClientCount(1);
// @ts-expect-error Redis is asked: it takes a while
const atOnce: number = hub.getClusterClientCount(1);
hub.disconnectUser(1, 4000, 'Banned');
// @ts-expect-error the code comes first
hub.disconnectUser(1, 'Banned');
hub.removeFromRoom('ann', 'lobby');
// @ts-expect-error out of which room?
hub.removeFromRoom('ann');
const text: string = hub.metrics();
const closed: Promise<void> = hub.close({ graceMs: 1000, spreadMs: undefined });
// @ts-expect-error no such option
hub.close({ timeout: 1000 });
// @ts-expect-error close answers by a promise, not by a callback
hub.close(() => {});
server.on('upgrade', (request, socket, head) => hub.handleUpgrade(request, socket, head));
// @ts-expect-error what came behind the request is part of it
server.on('upgrade', (request, socket) => hub.handleUpgrade(request, socket));
const address = hub.address();
const port = typeof address === 'object' ? address?.port : undefined;
// @ts-expect-error it may be a path, or none
hub.address().port;
export async function disposing() {
  await using disposed = setupRoomWebSocketServer({ port: 0 });
  return disposed.ref();
}
// @ts-expect-error there is nothing more to say
hub.unref(true);

// A client
const client: RoomClient<string> = {
  id: 1,
  userId: '1',
  remoteAddress: undefined,
  data: '',
  close() {},
};

client.close(1008);
client.close(4000, 'Elsewhere');
// @ts-expect-error the code comes first
client.close('Elsewhere');
// @ts-expect-error it is the hub's to say
client.userId = '2';

// Where the addon does not load
export async function load() {
  try {
    return await import('roomcast');
  } catch (error) {
    const { code, message } = error as NoAddonError;
    // @ts-expect-error no other
    if (code === 'MODULE_NOT_FOUND') return message;
    return code === 'ROOMCAST_NO_ADDON' ? message : undefined;
  }
}

void [handedOver, counted, rooms, numbers, backlog, state, forgotten, everywhere, atOnce];
void [text, closed, port];
