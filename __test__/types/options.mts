// Every option, right and wrong. What compiles here is right; what is wrong says so.
import http from 'node:http';
import https from 'node:https';
import {
  type Authenticate,
  type ClusterOptions,
  type HookContext,
  type ListenOptions,
  type Logger,
  type RoomServerOptions,
  type SessionAuthenticatorOptions,
  sessionAuthenticator,
  setupRoomWebSocketServer,
  type UpgradeRequest,
  type Verdict,
} from 'roomcast';

const server = http.createServer();

// Where it is served
setupRoomWebSocketServer(server);
setupRoomWebSocketServer(server, undefined);
setupRoomWebSocketServer(https.createServer(), {});
setupRoomWebSocketServer({ noServer: true });
// @ts-expect-error nowhere
setupRoomWebSocketServer({});
// @ts-expect-error an app makes a server of its own
setupRoomWebSocketServer({ listen() {} });
// @ts-expect-error the port is an option
setupRoomWebSocketServer(3000);

setupRoomWebSocketServer({ port: 0 });
// @ts-expect-error a string, as the environment has it
setupRoomWebSocketServer({ port: '3000' });
// @ts-expect-error a port beside a server
setupRoomWebSocketServer(server, { port: 0 });
// @ts-expect-error a port beside noServer
setupRoomWebSocketServer({ port: 0, noServer: true });

setupRoomWebSocketServer({ port: 0, host: '127.0.0.1' });
// @ts-expect-error a host without a port
setupRoomWebSocketServer({ host: '127.0.0.1' });

setupRoomWebSocketServer({ port: 0, backlog: 10 });
// @ts-expect-error true says not how many
setupRoomWebSocketServer({ port: 0, backlog: true });
const listening: ListenOptions = { port: 0, host: undefined, backlog: undefined };
setupRoomWebSocketServer(listening);

/** Takes what a bot with a server of its own may set. */
const set = (options: RoomServerOptions) => setupRoomWebSocketServer(server, options);

// @ts-expect-error there is no such option
set({ pingIntervall: 1 });
// @ts-expect-error an option of ws
set({ verifyClient: () => true });

set({ path: '/rooms' });
// @ts-expect-error one path
set({ path: ['/rooms'] });

set({ authenticate: () => 'ann' });
set({ authenticate: async request => request.headers.authorization });
// @ts-expect-error a verdict is no boolean
set({ authenticate: () => true });
// @ts-expect-error a date is no number
set({ authenticate: () => ({ userId: 1, expiresAt: new Date() }) });
// @ts-expect-error who is it?
set({ authenticate: () => ({ data: 'ann' }) });

set({ authorizeJoin: () => true });
set({ authorizeJoin: async (client, roomId) => client.userId === `${roomId}` });
// @ts-expect-error truthy is not true
set({ authorizeJoin: () => 1 });

set({ authTimeout: 1_000 });
// @ts-expect-error a number of milliseconds
set({ authTimeout: '1s' });

set({ allowedOrigins: ['https://example.com'] });
set({ allowedOrigins: origin => origin === undefined || origin.endsWith('.example.com') });
// @ts-expect-error one origin is a list of one
set({ allowedOrigins: 'https://example.com' });
// @ts-expect-error a promise is neither true nor false
set({ allowedOrigins: async () => true });

set({ trustProxy: 1 });
set({ trustProxy: ['10.0.0.0/8'] as const });
// @ts-expect-error Express' names are not known
set({ trustProxy: 'loopback' });

set({ maxPayload: 1_024 });
// @ts-expect-error a number of bytes
set({ maxPayload: '1kb' });

set({ maxConnections: 10_000 });
// @ts-expect-error no limit is to leave it out
set({ maxConnections: null });

set({ maxConnectionsPerIp: 100 });
// @ts-expect-error no limit is to leave it out
set({ maxConnectionsPerIp: false });

set({ maxRoomsPerConnection: 10 });
// @ts-expect-error a number
set({ maxRoomsPerConnection: '10' });

set({ messageRate: 0.5 });
// @ts-expect-error per second, as a number
set({ messageRate: '20/s' });

set({ messageBurst: 50 });
// @ts-expect-error a number
set({ messageBurst: { messages: 50 } });

set({ pingInterval: 10_000 });
// @ts-expect-error a number of milliseconds
set({ pingInterval: '25s' });

set({ pongTimeout: 10_000 });
// @ts-expect-error it cannot be switched off
set({ pongTimeout: false });

set({ handshakeTimeout: 1_000 });
// @ts-expect-error a number of milliseconds
set({ handshakeTimeout: '1s' });

set({ closeTimeout: 1_000 });
// @ts-expect-error a number of milliseconds
set({ closeTimeout: 1_000n });

set({ maxBufferedBytes: 1_024 });
// @ts-expect-error a number of bytes
set({ maxBufferedBytes: '64k' });

set({ slowTimeout: 5_000 });
// @ts-expect-error it cannot be switched off
set({ slowTimeout: null });

set({ history: 0 });
// @ts-expect-error none is 0
set({ history: false });

set({ roomTtl: 60_000 });
// @ts-expect-error a number of milliseconds
set({ roomTtl: '1h' });

set({ threads: 2 });
// @ts-expect-error as many as there are cores is to leave it out
set({ threads: 'auto' });

const cluster: ClusterOptions = { url: 'redis://127.0.0.1:6379', prefix: undefined };
set({ cluster });
set({ cluster: { url: 'rediss://redis.example', prefix: 'bot' } });
// @ts-expect-error a URL by itself
set({ cluster: 'redis://127.0.0.1:6379' });
// @ts-expect-error which Redis?
set({ cluster: { prefix: 'bot' } });
// @ts-expect-error a string
set({ cluster: { url: new URL('redis://127.0.0.1') } });
// @ts-expect-error no such option
set({ cluster: { url: 'redis://127.0.0.1:6379', db: 1 } });

const logger: Logger = console;
set({ logger });
set({ logger: false });
// @ts-expect-error half a logger
set({ logger: { warn() {}, error() {} } });
// @ts-expect-error the console is what there is without
set({ logger: true });

set({ noServer: false });
// @ts-expect-error a word is not true
set({ noServer: 'yes' });

set({ signal: AbortSignal.timeout(1_000) });
// @ts-expect-error its signal
set({ signal: new AbortController() });

// Hooks
const typed = setupRoomWebSocketServer(server, {
  authenticate: async (request, { signal }: HookContext) => {
    signal.throwIfAborted();
    const name = request.headers['x-name'];
    if (typeof name !== 'string') return null;
    return { userId: name, data: { name }, expiresAt: Date.now() + 1000 };
  },
  authorizeJoin: (client, roomId) => client.data.name === 'ann' && roomId === 1,
});
typed.on('join', client => client.data.name.length);
// @ts-expect-error what authenticate gave has no such field
typed.on('join', client => client.data.email);
const verdicts: Verdict<number>[] = ['ann', 1, null, undefined, false, { userId: 1, data: 2 }];
// @ts-expect-error yes: but who?
const yes: Verdict = true;

// Where the hub listens by itself
setupRoomWebSocketServer({
  port: 0,
  authenticate: (request: UpgradeRequest) =>
    request.headers.authorization ?? request.socket.remoteAddress,
});
// @ts-expect-error there is no Node stream
setupRoomWebSocketServer({ port: 0, authenticate: request => request.pipe });

// Sessions
const session: SessionAuthenticatorOptions = {
  cookieName: 'connect.sid',
  secret: ['new', 'old'],
  loadSession: async sid => ({ user: { id: sid } }),
  userFrom: (found): Verdict => ({ userId: found.user.id, data: found }),
};
const authenticate: Authenticate = sessionAuthenticator(session);
set({ authenticate });
setupRoomWebSocketServer({
  port: 0,
  authenticate: sessionAuthenticator({ cookieName: 'sid', secret: 's', loadSession: () => null }),
});
// @ts-expect-error who loads the session?
sessionAuthenticator({ cookieName: 'connect.sid', secret: 'secret' });
// @ts-expect-error which cookie?
sessionAuthenticator({ secret: 'secret', loadSession: () => null });
// @ts-expect-error signed with what?
sessionAuthenticator({ cookieName: 'connect.sid', loadSession: () => null });
sessionAuthenticator({
  ...session,
  // @ts-expect-error who it is, and not whether
  userFrom: () => true,
});

void [verdicts, yes];
