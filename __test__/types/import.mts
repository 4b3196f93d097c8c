// The types under `import`. What compiles here is right; what is wrong says so.
import http from 'node:http';
import https from 'node:https';
import {
  type Authenticate,
  broadcastRoomUpdate,
  type ClusterOptions,
  type ClusterState,
  type Logger,
  type RoomClient,
  type RoomId,
  type RoomService,
  type RoomState,
  RoomWebSocketServer,
  roomWebSocketService,
  type Stats,
  sessionAuthenticator,
  setupRoomWebSocketServer,
  type Verdict,
} from 'roomcast';

const server = http.createServer();

// Servers and options
setupRoomWebSocketServer(server);
setupRoomWebSocketServer(https.createServer(), { path: '/rooms', threads: 2, history: 0 });
setupRoomWebSocketServer({ port: 0 });
setupRoomWebSocketServer({ port: 0, host: '127.0.0.1', backlog: 10, logger: console });
setupRoomWebSocketServer({ noServer: true, logger: false });
// @ts-expect-error nowhere to listen
setupRoomWebSocketServer({});
// @ts-expect-error a port beside noServer
setupRoomWebSocketServer({ port: 0, noServer: true });
// @ts-expect-error a port beside a server
setupRoomWebSocketServer(server, { port: 0 });
// @ts-expect-error an option of another library
setupRoomWebSocketServer(server, { verifyClient: () => true });
// @ts-expect-error a string where a number belongs
setupRoomWebSocketServer(server, { pingInterval: '25s' });
// @ts-expect-error one origin is a list of one
setupRoomWebSocketServer(server, { allowedOrigins: 'https://example.com' });
const cluster: ClusterOptions = { url: 'redis://127.0.0.1:6379', prefix: undefined };
setupRoomWebSocketServer(server, { cluster, threads: 1 });
setupRoomWebSocketServer({ port: 0, cluster: { url: 'rediss://redis.example', prefix: 'bot' } });
// @ts-expect-error a URL by itself
setupRoomWebSocketServer(server, { cluster: 'redis://127.0.0.1:6379' });
// @ts-expect-error which Redis?
setupRoomWebSocketServer(server, { cluster: { prefix: 'bot' } });
// @ts-expect-error no such option
setupRoomWebSocketServer(server, { cluster: { url: 'redis://127.0.0.1:6379', db: 1 } });
// @ts-expect-error half a logger
setupRoomWebSocketServer(server, { logger: { warn() {}, error() {} } });

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
service.notifyParticipantLeave(1, undefined, 0, 50);
service.notifyRoomStatusChange(1, 'FULL', 50, 50);
// @ts-expect-error no such status
service.notifyRoomStatusChange(1, 'CLOSED', 50, 50);
service.broadcastParticipantCount(1, 3, 50);
const counted: number = service.getClientCount(1) + service.disconnectRoom('lobby');
const rooms: RoomId[] = service.getActiveRooms();
const stats: Stats = service.getStats();
const backlog: number | undefined = stats.perThread[0]?.backlog;

// The hub
const hub: RoomWebSocketServer = setupRoomWebSocketServer(server).attach(http.createServer());
if (hub instanceof RoomWebSocketServer) hub.ref().unref();
// @ts-expect-error made by setupRoomWebSocketServer only
new RoomWebSocketServer(server);
const state: RoomState | undefined = hub.getRoomState(1);
// @ts-expect-error it may be unknown
hub.getRoomState(1).seq;
const forgotten: boolean = hub.forgetRoom(1);
const everywhere: number = await hub.getClusterClientCount(1);
hub.disconnectUser(1, 4000, 'Banned');
hub.removeFromRoom('ann', 'lobby');
const text: string = hub.metrics();
await hub.close({ graceMs: 1000, spreadMs: 500 });
// @ts-expect-error close answers by a promise, not by a callback
hub.close(() => {});
server.on('upgrade', (request, socket, head) => hub.handleUpgrade(request, socket, head));
const address = hub.address();
const port = typeof address === 'object' ? address?.port : undefined;
await using disposed = setupRoomWebSocketServer({ port: 0 });

// Events
hub
  .on('connection', client => client.close(4001, 'Bye'))
  .once('disconnect', (client, code, reason) => `${client.userId} ${code + 1} ${reason.length}`)
  .on('join', (client, roomId: RoomId) => `${client.id + 1} ${roomId}`)
  .off('leave', () => {})
  .prependListener('slow', client => client.remoteAddress?.length)
  .on('cluster', (state: ClusterState) => state === 'away')
  .on('error', error => error.code?.length)
  .addListener('close', () => {});
// @ts-expect-error no such event
hub.on('conection', () => {});
// @ts-expect-error it is up or away
hub.on('cluster', state => state === 'down');
// @ts-expect-error a room id may be a string
hub.on('join', (_client, roomId: number) => roomId);

// Hooks
const typed = setupRoomWebSocketServer(server, {
  authenticate: async (request, { signal }) => {
    signal.throwIfAborted();
    const name = request.headers['x-name'];
    if (typeof name !== 'string') return null;
    return { userId: name, data: { name }, expiresAt: Date.now() + 1000 };
  },
  authorizeJoin: (client, roomId) => client.data.name === 'ann' && roomId === 1,
});
typed.on('join', client => client.data.name.length);
const named: RoomWebSocketServer<{ name: string }> = typed;
setupRoomWebSocketServer(server, { authenticate: () => 1, authorizeJoin: async () => true });
// @ts-expect-error a verdict is no boolean
setupRoomWebSocketServer(server, { authenticate: () => true });
// @ts-expect-error a date is no number
setupRoomWebSocketServer(server, { authenticate: () => ({ userId: 1, expiresAt: new Date() }) });
// @ts-expect-error truthy is not true
setupRoomWebSocketServer(server, { authorizeJoin: () => 1 });

const authenticate: Authenticate = sessionAuthenticator({
  cookieName: 'connect.sid',
  secret: ['new', 'old'],
  loadSession: async sid => ({ user: { id: sid } }),
  userFrom: (session): Verdict => ({ userId: session.user.id, data: session }),
});
setupRoomWebSocketServer(server, { authenticate });
setupRoomWebSocketServer({
  port: 0,
  authenticate: request => request.headers.authorization ?? request.socket.remoteAddress,
});
// @ts-expect-error the hub's own listener reads no Node stream
setupRoomWebSocketServer({ port: 0, authenticate: request => request.pipe });
setupRoomWebSocketServer({
  port: 0,
  authenticate: sessionAuthenticator({ cookieName: 'sid', secret: 's', loadSession: () => null }),
});
// @ts-expect-error who loads the session?
sessionAuthenticator({ cookieName: 'connect.sid', secret: 'secret' });

const logger: Logger = console;
const client: RoomClient<string> = {
  id: 1,
  userId: '1',
  remoteAddress: undefined,
  data: '',
  close() {},
};

void [handedOver, counted, rooms, backlog, state, forgotten, everywhere, text, port, disposed];
void [named, logger, client];
