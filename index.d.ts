import type { EventEmitter } from 'node:events';
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * What names a room: an integer from 0 to 2^53-1, or a string of 1 to 128 bytes without control
 * characters. A string that is the decimal form of such an integer is that integer: `'1'` and `1`
 * are one room, and events carry `1`.
 */
export type RoomId = number | string;

/** How many: a non-negative integer, or one in decimal digits, as databases hand over big ones. */
export type Count = number | `${bigint}`;

/**
 * Who a connection is.
 *
 * - A user id, a string of 1 to 128 bytes or a safe integer. Clients see it as a string.
 * - `{ userId, data, expiresAt }`: `data` is anything the bot wants to find at the client in events
 *   and in `authorizeJoin`; at `expiresAt`, in milliseconds since the Unix epoch, the connection is
 *   closed with 1008 `Session expired`.
 * - `null`, and also `undefined` and `false`: no. The client gets 1008 `Unauthorized`, which is final.
 *
 * Anything else is a fault of the server: it is logged, and the client gets 1013 `Try again later`.
 */
export type Verdict<Data = unknown> =
  | string
  | number
  | { userId: string | number; data?: Data; expiresAt?: number }
  | null
  | undefined
  | false;

/**
 * What `authenticate` is given where the hub listens by itself. Node's `IncomingMessage` has all of
 * it, so a hook written for this one serves both.
 */
export interface UpgradeRequest {
  /** `GET`. */
  readonly method?: string | undefined;
  /** Path and query, as in the request line. */
  readonly url?: string | undefined;
  /** Names in small letters; joined by Node's own rules. */
  readonly headers: IncomingMessage['headers'];
  /** Names and values in turn, as they came. */
  readonly rawHeaders: string[];
  readonly socket: {
    readonly remoteAddress?: string | undefined;
    /** Whether TLS ends in this process. */
    readonly encrypted?: boolean | undefined;
  };
}

/** What a hook gets beside the question. */
export interface HookContext {
  /**
   * Aborted when the answer is not wanted any more: the client is gone, or `authTimeout` is over
   * (then its reason is a `TimeoutError`).
   */
  readonly signal: AbortSignal;
}

/**
 * Says who a connection is, at once or by a promise. The request is Node's own, whose
 * `socket.remoteAddress` answers also after an await; where the hub listens by itself it is an
 * {@link UpgradeRequest}. What the client sends meanwhile is kept. A hook
 * that throws, rejects or does not answer within `authTimeout` is logged, and the client gets 1013
 * `Try again later`: a fault of the server is no verdict on the user.
 */
export type Authenticate<Data = unknown, Request = IncomingMessage> = (
  request: Request,
  context: HookContext,
) => Verdict<Data> | PromiseLike<Verdict<Data>>;

/**
 * Says whether a client may join a room, with exactly `true` or `false`, at once or by a promise.
 * No is answered with `Access denied to this room`; a hook that throws, rejects, answers anything
 * else or is too late, with `Unable to verify room membership`.
 */
export type AuthorizeJoin<Data = unknown> = (
  client: RoomClient<Data>,
  roomId: RoomId,
  context: HookContext,
) => boolean | PromiseLike<boolean>;

/** Takes log lines. Whatever it throws is swallowed. `console` is one. */
export interface Logger {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** A connection; the same object in every event and hook. */
export interface RoomClient<Data = unknown> {
  /** Unique within its hub. */
  readonly id: number;
  readonly userId: string;
  /** Where it comes from, as far as `trustProxy` believes the proxies in front. */
  readonly remoteAddress: string | undefined;
  /** What `authenticate` gave as `data`; the bot's own to change. */
  data: Data;
  /**
   * Closes the connection.
   *
   * @param code 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4). A client takes
   *   1008 as final and everything else as a reason to come back. Default: 1008 `Disconnected`.
   * @param reason At most 123 bytes.
   * @throws {TypeError} where code or reason may not be sent.
   */
  close(code?: number, reason?: string): void;
}

/** The counts of a room's newest update that had any. */
export interface RoomState {
  roomId: RoomId;
  currentParticipants: number;
  maxParticipants: number;
  /** `currentParticipants >= maxParticipants`. */
  isFull: boolean;
  /** The difference, never below 0. */
  availableSlots: number;
  /** The number of the room's newest update. */
  seq: number;
  /** Changes when the room's numbers start again. */
  epoch: string;
}

export interface Stats {
  /** Rooms that have members. */
  totalRoomsWithClients: number;
  /** Memberships: a connection counts once per room that it is in. */
  totalConnections: number;
  /** Distinct users that are in a room. */
  totalUsersTracked: number;
  /** Ids of the rooms that have members. */
  activeRooms: RoomId[];
  /** Sockets. */
  openConnections: number;
  /** Rooms that have members, state or history. */
  roomsKnown: number;
  /** Bytes that wait to be sent. */
  bufferedBytes: number;
  /** Updates that were handed over. */
  updatesTotal: number;
  /** Updates that were sent, once per member. */
  deliveriesTotal: number;
  /** Updates that a newer one has replaced in a slow client's backlog. */
  conflatedTotal: number;
  /** Clients whose backlog is being conflated now. */
  slowClients: number;
  /** Age of the hub; of the oldest where there are several. */
  uptimeSeconds: number;
  /** One entry for each thread. */
  perThread: { connections: number; backlog: number }[];
}

/** An update of the bot's own. Its fields are sent in their order, behind `event`. */
export interface CustomUpdate {
  /** 1 to 128 bytes. */
  event: string;
  /**
   * Where both counts are there they become the room's state, which is what a page that joins later
   * is shown first.
   */
  currentParticipants?: unknown;
  maxParticipants?: unknown;
  /** Written by the hub. */
  type?: never;
  /** Written by the hub. */
  roomId?: never;
  /** Written by the hub. */
  timestamp?: never;
  /** Written by the hub. */
  seq?: never;
  /** Written by the hub. */
  epoch?: never;
  [field: string]: unknown;
}

/**
 * Rooms over every open hub of this JavaScript environment (a worker thread has its own): updates go
 * to each, counts add up, lists unite.
 *
 * Updates are handed over and the call returns, whatever the network does: `true` once a hub has
 * the update, `false` where none is open. Bad arguments throw a `TypeError` that names them.
 */
export interface RoomService {
  /**
   * Tells the room that somebody joined or left (`USER_JOINED`, `USER_LEFT`).
   *
   * @param participantName Cut at 256 bytes; null and undefined are sent as `User`.
   */
  broadcastRoomUpdate(
    roomId: RoomId,
    participantName: string | null | undefined,
    currentCount: Count,
    maxCount: Count,
    eventType: 'join' | 'leave',
  ): boolean;
  /** Tells the room something of the bot's own, at most 64 KiB as JSON. */
  broadcastRoomUpdate(roomId: RoomId, update: CustomUpdate): boolean;
  /** `USER_JOINED`. */
  notifyParticipantJoin(
    roomId: RoomId,
    name: string | null | undefined,
    current: Count,
    max: Count,
  ): boolean;
  /** `USER_LEFT`. */
  notifyParticipantLeave(
    roomId: RoomId,
    name: string | null | undefined,
    current: Count,
    max: Count,
  ): boolean;
  /** `ROOM_STATUS_CHANGED`. The status is news and is not kept; the counts are. */
  notifyRoomStatusChange(
    roomId: RoomId,
    status: 'FULL' | 'AVAILABLE' | 'OFFLINE',
    current: Count,
    max: Count,
  ): boolean;
  /** `PARTICIPANT_COUNT_UPDATED`; also the way to seed a room's state after a start. */
  broadcastParticipantCount(roomId: RoomId, current: Count, max: Count): boolean;
  /** Connections that are in the room. */
  getClientCount(roomId: RoomId): number;
  /** Rooms that have members. */
  getActiveRooms(): RoomId[];
  /**
   * Closes every client of the room with 1000 `Room closed`, behind the updates before; how many those
   * were. In a cluster all of them, and the number is this process'.
   */
  disconnectRoom(roomId: RoomId): number;
  getStats(): Stats;
}

/**
 * Where this hub meets those of other processes. All hubs with the same Redis, database and prefix are
 * one cluster: give each cluster a prefix of its own, and open one such hub per process.
 */
export interface ClusterOptions {
  /**
   * Redis 7.0 or newer, or Valkey: `redis://[user:password@]host[:port][/database]`, or `rediss://…`
   * for TLS, checked against the system's certificates or those of `SSL_CERT_FILE`. Of a Redis
   * Cluster, one node or several: `redis://first:7000,second:7000,third:7000`; the others are found
   * from there. Port, default: 6379.
   */
  url: string;
  /**
   * What every key and channel in Redis starts with: 1 to 64 letters, digits, `_`, `.`, `:` and `-`.
   * Default: `roomcast`.
   */
  prefix?: string | undefined;
}

/**
 * Whether a hub works through Redis. `up`: it does. `away`: Redis has not answered for 1 s, and updates
 * go to this process' clients alone until it is back.
 */
export type ClusterState = 'up' | 'away';

export interface RoomServerOptions<Data = unknown, Request = IncomingMessage> {
  /** Exact path that is served, the query aside. Default: `/ws/rooms`. */
  path?: string | undefined;
  /**
   * Says who a connection is. Default: the `userId` of the query, 1 to 128 bytes; without it the
   * client gets 1008 `Missing userId`. See also {@link sessionAuthenticator}.
   */
  authenticate?: Authenticate<Data, Request> | undefined;
  /** Says whether a client may join a room. Default: everyone may. */
  authorizeJoin?: AuthorizeJoin<Data> | undefined;
  /** Time that both hooks have to answer, in milliseconds. Default: 10 000. */
  authTimeout?: number | undefined;
  /**
   * Pages that may connect: exact origins such as `https://example.com`, or a function that answers
   * `true` or `false` for the Origin header (undefined where there is none). Others get 403.
   * Default: any; where {@link sessionAuthenticator} is used, pages of the same host, since cookies
   * travel with every site's pages.
   */
  allowedOrigins?: readonly string[] | ((origin: string | undefined) => boolean) | undefined;
  /**
   * Proxies whose X-Forwarded-For is believed: how many stand in front, or the list of their
   * addresses or networks (`10.0.0.0/8`). Default: 0.
   */
  trustProxy?: number | readonly string[] | undefined;
  /** Longest message of a client, in bytes; past it: 1009. Default: 65 536. */
  maxPayload?: number | undefined;
  /** Open connections; past it: 503 before the upgrade. Default: no limit. */
  maxConnections?: number | undefined;
  /** Open connections of one address; past it: 429 before the upgrade. Default: no limit. */
  maxConnectionsPerIp?: number | undefined;
  /** Rooms that one connection may be in. Default: 100. */
  maxRoomsPerConnection?: number | undefined;
  /**
   * Messages per second that one connection may send in the long run; fragments and control frames
   * count. Default: 20.
   */
  messageRate?: number | undefined;
  /** Messages that one connection may send at once. Default: 200. */
  messageBurst?: number | undefined;
  /** Silence after which a client is pinged, in milliseconds. Default: 25 000. */
  pingInterval?: number | undefined;
  /** Silence after a ping that ends a connection, in milliseconds. Default: 20 000. */
  pongTimeout?: number | undefined;
  /** Time for a request to arrive where the hub listens by itself, in milliseconds. Default: 10 000. */
  handshakeTimeout?: number | undefined;
  /** Time for a client to answer a Close frame, in milliseconds. Default: 5 000. */
  closeTimeout?: number | undefined;
  /**
   * Unsent bytes of one connection past which its updates are conflated: of each room the newest
   * stay. Default: 65 536.
   */
  maxBufferedBytes?: number | undefined;
  /**
   * Time from the first conflation in which the backlog has to be empty, in milliseconds; then:
   * 1013 `Slow consumer`. Default: 10 000.
   */
  slowTimeout?: number | undefined;
  /** Updates held per room for clients that come back. Default: 64. */
  history?: number | undefined;
  /** Time after which a room without members and updates is forgotten, in milliseconds. Default: 3 600 000. */
  roomTtl?: number | undefined;
  /** Hub threads, 1 to 64. Default: as many as there are cores, at most 4. */
  threads?: number | undefined;
  /**
   * Makes one hub of those of several processes, through Redis: a room's updates reach its clients
   * on each of them, in one order. Default: none, this process alone.
   */
  cluster?: ClusterOptions | undefined;
  /** Where log lines go; false: nowhere. Default: warnings and errors to the console. */
  logger?: Logger | false | undefined;
  /** Attaches nothing: the bot calls `handleUpgrade` itself. Default: false. */
  noServer?: boolean | undefined;
  /** Closes the hub when aborted; one that is aborted already closes it at once. */
  signal?: AbortSignal | undefined;
}

/** Where a hub listens by itself. */
export interface ListenOptions {
  /** 0: any free one, see `address()`. */
  port: number;
  /** Default: every address of the machine. */
  host?: string | undefined;
  /** Connections that may wait to be accepted. */
  backlog?: number | undefined;
}

/** The events of a {@link RoomWebSocketServer} and what their listeners are given. */
export interface RoomServerEvents<Data = unknown> {
  /** A client was let in. */
  connection: [client: RoomClient<Data>];
  /** A client is gone; 1005: without a code, 1006: without a Close frame (RFC 6455 section 7.4.1). */
  disconnect: [client: RoomClient<Data>, code: number, reason: string];
  /** A client has joined a room. */
  join: [client: RoomClient<Data>, roomId: RoomId];
  /** A client has left a room. */
  leave: [client: RoomClient<Data>, roomId: RoomId];
  /** A client does not keep up: its backlog is conflated from now on. Once, until it is empty. */
  slow: [client: RoomClient<Data>];
  /**
   * Redis answers, or does not any more. The first comes after the start: `up` once it is connected, or
   * `away` where that takes longer than 1 s. Only where `cluster` is set.
   */
  cluster: [state: ClusterState];
  /**
   * Something went wrong in the hub. Logged where nobody listens, never thrown. Of a cluster, by `code`:
   * `CLUSTER_AUTH`, Redis refuses the user, the password or a command to this user; `CLUSTER_VERSION`,
   * it is older than 7.0; both told once until it is another, and the hub goes on alone meanwhile and
   * keeps trying. `CLUSTER_REFUSED`, Redis does not do what one room needs, at most once a minute.
   */
  error: [error: Error & { code?: string }];
  /** The hub has ended. */
  close: [];
}

/**
 * A hub with the servers that it is attached to. Made by {@link setupRoomWebSocketServer}. What a
 * listener throws is logged. No event costs anything while nobody listens.
 */
export class RoomWebSocketServer<Data = unknown>
  extends EventEmitter
  implements RoomService, AsyncDisposable
{
  private constructor();

  // RoomService, for this hub

  broadcastRoomUpdate(
    roomId: RoomId,
    participantName: string | null | undefined,
    currentCount: Count,
    maxCount: Count,
    eventType: 'join' | 'leave',
  ): boolean;
  broadcastRoomUpdate(roomId: RoomId, update: CustomUpdate): boolean;
  notifyParticipantJoin(
    roomId: RoomId,
    name: string | null | undefined,
    current: Count,
    max: Count,
  ): boolean;
  notifyParticipantLeave(
    roomId: RoomId,
    name: string | null | undefined,
    current: Count,
    max: Count,
  ): boolean;
  notifyRoomStatusChange(
    roomId: RoomId,
    status: 'FULL' | 'AVAILABLE' | 'OFFLINE',
    current: Count,
    max: Count,
  ): boolean;
  broadcastParticipantCount(roomId: RoomId, current: Count, max: Count): boolean;
  getClientCount(roomId: RoomId): number;
  getActiveRooms(): RoomId[];
  disconnectRoom(roomId: RoomId): number;
  getStats(): Stats;

  /**
   * Serves one more server from this hub. The hub closes with its last server.
   *
   * @throws {Error} where another hub serves the path on that server, or this one is closed.
   */
  attach(server: HttpServer | HttpsServer): this;

  /**
   * Takes the connection of an upgrade request, whatever its path; for a bot that routes upgrades
   * itself (`noServer`), also after an await of its own.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;

  /** Where the hub listens, or the first of its servers that does; null: nowhere. */
  address(): AddressInfo | string | null;

  /** What a polling endpoint answers; undefined where nothing is known of the room. */
  getRoomState(roomId: RoomId): RoomState | undefined;

  /** Drops a room's state and history, in the whole cluster; whether there was anything here. */
  forgetRoom(roomId: RoomId): boolean;

  /**
   * Connections that are in the room, over all processes of a cluster; what `ROOM_STATUS` tells clients
   * as `connectedClients`. A process that was killed is out within 30 s. Of this process alone where
   * there is no cluster, where Redis is away, and where the hub is closed. Never rejects.
   *
   * @throws {TypeError} where the id is wrong.
   */
  getClusterClientCount(roomId: RoomId): Promise<number>;

  /**
   * Closes every connection of a user, in the whole cluster; how many those were in this process.
   *
   * @param code As of {@link RoomClient.close}. Default: 1008 `Disconnected`.
   * @param reason At most 123 bytes.
   */
  disconnectUser(userId: string | number, code?: number, reason?: string): number;

  /**
   * Has every connection of a user leave a room, with `ROOM_LEFT`, in the whole cluster; how many those
   * were in this process.
   */
  removeFromRoom(userId: string | number, roomId: RoomId): number;

  /** Metrics in Prometheus' text format. */
  metrics(): string;

  /**
   * Takes no more connections and updates, and closes every client with 1001 `Server shutting down`.
   * The servers stay open, without the hub. Closing the last of them does the same.
   *
   * @param options.graceMs Time for clients to go, in milliseconds.
   * @param options.spreadMs Time over which they are closed, in milliseconds, so that they do not
   *   come back all at once.
   * @returns Resolves when the last thread has ended. The same promise each time.
   */
  close(options?: { graceMs?: number; spreadMs?: number }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;

  /** Keeps the process alive while the hub listens by itself (as it does from the start). */
  ref(): this;
  /** Lets the process end though the hub listens. A hub that drains keeps it alive all the same. */
  unref(): this;

  on<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  once<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  off<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  addListener<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  removeListener<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  prependListener<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  prependOnceListener<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
}

/**
 * Opens a hub on the http or https server that the bot has. Upgrades for `path` are taken; all
 * others stay with whoever listens for them.
 *
 * @example
 * const server = http.createServer(app);
 * setupRoomWebSocketServer(server);
 * server.listen(3000);
 *
 * @throws {TypeError} where an option is unknown, wrong, or in conflict with another.
 * @throws {Error} where another hub serves the same path on that server.
 */
export function setupRoomWebSocketServer<Data = unknown>(
  server: HttpServer | HttpsServer,
  options?: RoomServerOptions<Data>,
): RoomWebSocketServer<Data>;
/**
 * Opens a hub that listens by itself: `authenticate` gets an {@link UpgradeRequest}.
 *
 * @throws {TypeError} where an option is unknown, wrong, or in conflict with another.
 * @throws {Error} where it cannot listen, with the `code` (`EADDRINUSE`, …), `syscall`, `address`
 *   and `port` of Node's own.
 */
export function setupRoomWebSocketServer<Data = unknown>(
  options: RoomServerOptions<Data, UpgradeRequest> &
    ListenOptions & { noServer?: false | undefined },
): RoomWebSocketServer<Data>;
/** Opens a hub for a bot that calls `handleUpgrade` itself. */
export function setupRoomWebSocketServer<Data = unknown>(
  options: RoomServerOptions<Data> & { noServer: true },
): RoomWebSocketServer<Data>;

/**
 * Tells a room that somebody joined or left, over every open hub.
 *
 * @param participantName Cut at 256 bytes; null and undefined are sent as `User`.
 * @returns `true` once the update is handed over, `false` where no hub is open.
 * @throws {TypeError} where an argument is wrong.
 */
export function broadcastRoomUpdate(
  roomId: RoomId,
  participantName: string | null | undefined,
  currentCount: Count,
  maxCount: Count,
  eventType: 'join' | 'leave',
): boolean;

/** Rooms over every open hub. */
export const roomWebSocketService: RoomService;

// biome-ignore lint/suspicious/noExplicitAny: a session holds what the bot has put there
export interface SessionAuthenticatorOptions<Session = any> {
  /** Name of the session's cookie; express-session's is `connect.sid` unless told otherwise. */
  cookieName: string;
  /** What the cookie is signed with; of a list, any may have signed it. */
  secret: string | readonly string[];
  /** The session of this id, or nothing where there is none. */
  loadSession(sid: string): Session | null | undefined | PromiseLike<Session | null | undefined>;
  /**
   * Who a session is of. Default: `session.user.id`. Where it gives no `expiresAt` the connection
   * ends with the session (`session.cookie.expires`, a Date or its text); `Infinity`: it does not.
   * Give an `expiresAt` where requests prolong the session (`rolling: true`) and the store keeps that
   * in a key's time to live alone, as connect-redis does: `session.cookie.expires` then stays what it
   * was when the session was last saved, and a connection past it is refused.
   */
  userFrom?(session: Session): Verdict;
}

/**
 * An `authenticate` hook for Express sessions: verifies the signed cookie and asks the bot for the
 * session. A cookie that is missing or not signed by one of the secrets is refused without asking.
 */
// biome-ignore lint/suspicious/noExplicitAny: a session holds what the bot has put there
export function sessionAuthenticator<Session = any>(
  options: SessionAuthenticatorOptions<Session>,
): Authenticate<unknown, UpgradeRequest>;
