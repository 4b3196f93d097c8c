// Since TypeScript 6, @types/node is left out where tsconfig does not name it.
/// <reference types="node" />
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
 * - `null`, and also `undefined` and `false`: no. The client gets 1008 `Unauthorized`, which is
 *   final.
 *
 * Anything else is a fault of the server: it is logged, and the client gets 1013 `Try again later`.
 */
export type Verdict<Data = unknown> =
  | string
  | number
  | {
      /** 1 to 128 bytes, or a safe integer. */
      userId: string | number;
      /** Anything; found at the client as `client.data`. Default: undefined. */
      data?: Data;
      /** Milliseconds since the Unix epoch; `Infinity` and undefined: without an end. */
      expiresAt?: number;
    }
  | null
  | undefined
  | false;

/**
 * What `authenticate` is given where the hub listens by itself. Node's `IncomingMessage` has all of
 * it, so a hook written for this one serves both.
 */
export interface UpgradeRequest {
  /** `GET` (RFC 6455 section 4.1). */
  readonly method?: string | undefined;
  /** Path and query, as in the request line. */
  readonly url?: string | undefined;
  /** Names in small letters; joined by Node's own rules. */
  readonly headers: IncomingMessage['headers'];
  /** Names and values in turn, as they came. */
  readonly rawHeaders: string[];
  /** What is known of the connection; not Node's socket. */
  readonly socket: {
    /** The peer's, which is the last proxy's where one is in front; see `trustProxy`. */
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
 * Says who a connection is, at once or by a promise; ws has `verifyClient` for this. The request is
 * Node's own, whose `socket.remoteAddress` answers also after an await; where the hub listens by
 * itself it is an {@link UpgradeRequest}. What the client sends meanwhile is kept. A hook that
 * throws, rejects or does not answer within `authTimeout` is logged, and the client gets 1013
 * `Try again later`: a fault of the server is no verdict on the user.
 *
 * @example
 * setupRoomWebSocketServer(server, {
 *   async authenticate(request, { signal }) {
 *     const user = await findUser(request.headers.authorization, { signal });
 *     return user ? { userId: user.id, data: { name: user.name } } : null;
 *   },
 * });
 */
export type Authenticate<Data = unknown, Request = IncomingMessage> = (
  request: Request,
  context: HookContext,
) => Verdict<Data> | PromiseLike<Verdict<Data>>;

/**
 * Says whether a client may join a room, with exactly `true` or `false`, at once or by a promise.
 * No is answered with `Access denied to this room`; a hook that throws, rejects, answers anything
 * else or is too late, with `Unable to verify room membership`. Asked with every JOIN_ROOM, also of
 * a client that comes back; what was granted is taken back by `removeFromRoom`.
 *
 * @example
 * setupRoomWebSocketServer(server, {
 *   authorizeJoin: (client, roomId) => isMember(client.userId, roomId),
 * });
 */
export type AuthorizeJoin<Data = unknown> = (
  client: RoomClient<Data>,
  roomId: RoomId,
  context: HookContext,
) => boolean | PromiseLike<boolean>;

/**
 * Takes log lines, as `console`, pino and winston do. Whatever it throws or rejects with is
 * swallowed.
 */
export interface Logger {
  /** At present nothing is told at this level. */
  debug(message: string, fields?: object): void;
  /** At present nothing is told at this level. */
  info(message: string, fields?: object): void;
  /**
   * Takes what the hub gets over: a hook that was too late, events that were not taken in time,
   * Redis away or back.
   */
  warn(message: string, fields?: object): void;
  /**
   * Takes what failed: a hook (`fields.error` is what it threw), a listener, an `error` event
   * without one.
   */
  error(message: string, fields?: object): void;
}

/** A connection; the same object in every event and hook. */
export interface RoomClient<Data = unknown> {
  /** Unique within its hub. */
  readonly id: number;
  /** Who it is, as `authenticate` said; a number's decimal form. */
  readonly userId: string;
  /**
   * The IP address that it comes from, as far as `trustProxy` believes the proxies in front;
   * undefined where the peer was gone before it could be asked.
   */
  readonly remoteAddress: string | undefined;
  /** What `authenticate` gave as `data`; the bot's own to change. */
  data: Data;
  /**
   * Closes the connection, behind what is on its way to it. Does nothing where it is closed
   * already.
   *
   * @example
   * client.close(1008, 'Banned'); // and it does not come back
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
  /** A number where the id is an integer, whatever it was asked by. */
  roomId: RoomId;
  /** How many are in the room, as the bot said; the room's connections are `getClientCount`. */
  currentParticipants: number;
  /** How many may be, as the bot said. */
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

/** What a hub, or all of them, has done and holds. Totals count from its start. */
export interface Stats {
  /** Rooms that have members. */
  totalRoomsWithClients: number;
  /** Memberships: a connection counts once per room that it is in. */
  totalConnections: number;
  /** Distinct users that are in a room. */
  totalUsersTracked: number;
  /** Ids of the rooms that have members. */
  activeRooms: RoomId[];
  /** Sockets, in rooms or not. */
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
  perThread: {
    /** Its sockets. */
    connections: number;
    /** Bytes that wait to be sent to them. */
    backlog: number;
  }[];
}

/**
 * An update of the bot's own: a plain object, at most 64 KiB as JSON. Its fields are sent in their
 * order, behind `event`.
 */
export interface CustomUpdate {
  /** What pages tell it by: 1 to 128 bytes. */
  event: string;
  /**
   * Where both counts are there they become the room's state, which is what a page that joins later
   * is shown first.
   */
  currentParticipants?: unknown;
  /** See `currentParticipants`. */
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
  /** Whatever JSON can hold. */
  [field: string]: unknown;
}

/**
 * What a bot does with rooms.
 *
 * Updates are handed over and the call returns, whatever the network does: `true` once a hub has
 * the update, `false` where none is open. Bad arguments throw a `TypeError` that names them. Pages
 * get a `ROOM_UPDATE` with the `event` that each method names.
 */
export interface RoomService {
  /**
   * Tells the room that somebody joined or left: `USER_JOINED`, `USER_LEFT`.
   *
   * @example
   * broadcastRoomUpdate(1, 'Ada', 25, 50, 'join');
   *
   * @param participantName Cut at 256 bytes; null and undefined are sent as `User`.
   * @param currentCount How many are in the room now.
   * @param maxCount How many may be.
   * @throws {TypeError} where an argument is wrong.
   */
  broadcastRoomUpdate(
    roomId: RoomId,
    participantName: string | null | undefined,
    currentCount: Count,
    maxCount: Count,
    eventType: 'join' | 'leave',
  ): boolean;
  /**
   * Tells the room something of the bot's own.
   *
   * @example
   * rooms.broadcastRoomUpdate(1, { event: 'ROOM_RENAMED', name: 'Lobby' });
   *
   * @throws {TypeError} where it is no plain object, has no `event` or a field that the hub writes,
   *   cannot be written as JSON, or is over 64 KiB.
   */
  broadcastRoomUpdate(roomId: RoomId, update: CustomUpdate): boolean;
  /**
   * Tells the room that somebody joined: `USER_JOINED`. The same as `broadcastRoomUpdate` with
   * `'join'`.
   *
   * @throws {TypeError} where an argument is wrong.
   */
  notifyParticipantJoin(
    roomId: RoomId,
    name: string | null | undefined,
    current: Count,
    max: Count,
  ): boolean;
  /**
   * Tells the room that somebody left: `USER_LEFT`. The same as `broadcastRoomUpdate` with
   * `'leave'`.
   *
   * @throws {TypeError} where an argument is wrong.
   */
  notifyParticipantLeave(
    roomId: RoomId,
    name: string | null | undefined,
    current: Count,
    max: Count,
  ): boolean;
  /**
   * Tells the room what it is now: `ROOM_STATUS_CHANGED`. The status is news and is not kept; the
   * counts are.
   *
   * @throws {TypeError} where an argument is wrong.
   */
  notifyRoomStatusChange(
    roomId: RoomId,
    status: 'FULL' | 'AVAILABLE' | 'OFFLINE',
    current: Count,
    max: Count,
  ): boolean;
  /**
   * Tells the room its counts: `PARTICIPANT_COUNT_UPDATED`; also the way to seed a room's state
   * after a start.
   *
   * @throws {TypeError} where an argument is wrong.
   */
  broadcastParticipantCount(roomId: RoomId, current: Count, max: Count): boolean;
  /**
   * Connections that are in the room, in this process.
   *
   * @throws {TypeError} where the id is wrong.
   */
  getClientCount(roomId: RoomId): number;
  /** Ids of the rooms that have members, in this process, in no order. */
  getActiveRooms(): RoomId[];
  /**
   * Closes every client of the room with 1000 `Room closed`, behind the updates before; how many
   * those were. In a cluster all of them, and the number is this process'. Those clients come back,
   * which `authorizeJoin` may refuse.
   *
   * @throws {TypeError} where the id is wrong.
   */
  disconnectRoom(roomId: RoomId): number;
  /**
   * What has been done and is held, in this process. Takes as long as there are rooms with members.
   */
  getStats(): Stats;
}

/**
 * Where this hub meets those of other processes. All hubs with the same Redis, database and prefix
 * are one cluster: give each cluster a prefix of its own, and open one such hub per process.
 */
export interface ClusterOptions {
  /**
   * Redis 7.0 or newer, or Valkey: `redis://[user:password@]host[:port][/database]`, or
   * `rediss://…` for TLS, checked against the system's certificates or those of `SSL_CERT_FILE`. Of
   * a Redis Cluster, one node or several: `redis://first:7000,second:7000,third:7000`; the others
   * are found from there. Port, default: 6379.
   */
  url: string;
  /**
   * What every key and channel in Redis starts with: 1 to 64 letters, digits, `_`, `.`, `:` and
   * `-`. Default: `roomcast`.
   */
  prefix?: string | undefined;
}

/**
 * Whether a hub works through Redis. `up`: it does. `away`: Redis has not answered for 1 s, and
 * updates go to this process' clients alone until it is back.
 */
export type ClusterState = 'up' | 'away';

/**
 * What {@link setupRoomWebSocketServer} takes, all of it optional. Times are milliseconds, whole
 * and from 1 to 2^31-1; so are sizes and limits. undefined is the default. An option that is
 * unknown, wrong or in conflict with another throws a `TypeError` that says what would be right,
 * also for those of ws that have no meaning here.
 */
export interface RoomServerOptions<Data = unknown, Request = IncomingMessage> {
  /**
   * Exact path that is served, the query aside; starts with `/`. ws has the same. One path of a
   * server has one hub. Default: `/ws/rooms`.
   */
  path?: string | undefined;
  /**
   * Says who a connection is; in place of ws' `verifyClient`. A user id,
   * `{ userId, data?, expiresAt? }`, or null for nobody; or a promise of one. Default: the `userId`
   * of the query, 1 to 128 bytes; without it the client gets 1008 `Missing userId`. See also
   * {@link sessionAuthenticator}.
   */
  authenticate?: Authenticate<Data, Request> | undefined;
  /**
   * Says whether a client may join a room: `true` or `false`, or a promise of one; see
   * {@link AuthorizeJoin}. Default: everyone may.
   */
  authorizeJoin?: AuthorizeJoin<Data> | undefined;
  /**
   * Time that both hooks have to answer, in milliseconds; then the one's client gets 1013
   * `Try again later`, the other's `Unable to verify room membership`, and `signal` is aborted.
   * Default: 10 000.
   */
  authTimeout?: number | undefined;
  /**
   * Pages that may connect: exact origins such as `https://example.com`, or a function that answers
   * `true` or `false` for the Origin header (undefined where there is none; RFC 6455 section 10.2).
   * Others get 403. Default: any; where {@link sessionAuthenticator} is used, pages of the same
   * host, since cookies travel with every site's pages.
   */
  allowedOrigins?: readonly string[] | ((origin: string | undefined) => boolean) | undefined;
  /**
   * Proxies whose X-Forwarded-For is believed: how many stand in front, or the list of their
   * addresses or networks (`10.0.0.0/8`). Express' `trust proxy` for the hub. Default: 0.
   */
  trustProxy?: number | readonly string[] | undefined;
  /**
   * Longest message of a client, in bytes; past it: 1009 `Message too large` (RFC 6455 section
   * 7.4.1). ws has the same, with 100 MiB. Default: 65 536.
   */
  maxPayload?: number | undefined;
  /** Open connections; past it: 503 with Retry-After before the upgrade. Default: no limit. */
  maxConnections?: number | undefined;
  /**
   * Open connections of one address, as `trustProxy` has it; past it: 429 with Retry-After before
   * the upgrade. Default: no limit.
   */
  maxConnectionsPerIp?: number | undefined;
  /** Rooms that one connection may be in; past it: the error `Too many rooms`. Default: 100. */
  maxRoomsPerConnection?: number | undefined;
  /**
   * Messages per second that one connection may send in the long run; fragments and control frames
   * count. What is over it is dropped with the error `Rate limit exceeded`; twice as much for 5 s:
   * 1008. May be a fraction. Default: 20.
   */
  messageRate?: number | undefined;
  /** Messages that one connection may send at once, before `messageRate` counts. Default: 200. */
  messageBurst?: number | undefined;
  /**
   * Silence after which a client is pinged (RFC 6455 section 5.5.2), in milliseconds. Has to be
   * below the idle timeout of every proxy in front; nginx' is 60 s. Default: 25 000.
   */
  pingInterval?: number | undefined;
  /**
   * Silence after a ping that ends a connection, in milliseconds; `disconnect` has 1006.
   * Default: 20 000.
   */
  pongTimeout?: number | undefined;
  /**
   * Time for a request to arrive where the hub listens by itself, in milliseconds; on a server it
   * is Node's `headersTimeout`. Default: 10 000.
   */
  handshakeTimeout?: number | undefined;
  /**
   * Time for a client to answer a Close frame (RFC 6455 section 7.1.1), in milliseconds; then it is
   * cut off. ws has the same, with 30 000. Default: 5 000.
   */
  closeTimeout?: number | undefined;
  /**
   * Unsent bytes of one connection past which its updates are conflated: of each room the newest
   * stay. What the kernel holds is not in it. ws' `bufferedAmount` grows instead. Default: 65 536.
   */
  maxBufferedBytes?: number | undefined;
  /**
   * Time from the first conflation in which the backlog has to be empty, in milliseconds; then:
   * 1013 `Slow consumer`. Default: 10 000.
   */
  slowTimeout?: number | undefined;
  /**
   * Updates held per room for clients that come back; those who missed more get the newest state.
   * 0: none. Default: 64.
   */
  history?: number | undefined;
  /**
   * Time after which a room without members and updates is forgotten, in milliseconds.
   * Default: 3 600 000.
   */
  roomTtl?: number | undefined;
  /**
   * Hub threads, 1 to 64, each with its share of the clients. Default: as many as there are cores,
   * at most 4.
   */
  threads?: number | undefined;
  /**
   * Makes one hub of those of several processes, through Redis: a room's updates reach its clients
   * on each of them, in one order. Default: none, this process alone.
   */
  cluster?: ClusterOptions | undefined;
  /**
   * Where log lines go, as `(message, fields)`; false: nowhere. Default: warnings and errors to the
   * console.
   */
  logger?: Logger | false | undefined;
  /** Attaches nothing: the bot calls `handleUpgrade` itself. ws has the same. Default: false. */
  noServer?: boolean | undefined;
  /** Closes the hub when aborted; one that is aborted already closes it at once. Default: none. */
  signal?: AbortSignal | undefined;
}

/** Where a hub listens by itself, without Node's http. ws has the same three. */
export interface ListenOptions {
  /** 0 to 65 535; 0: any free one, see `address()`. */
  port: number;
  /** A name or an address. Default: every address of the machine. */
  host?: string | undefined;
  /** Connections that may wait to be accepted (`listen(2)`). Default: 511, as Node's. */
  backlog?: number | undefined;
}

/**
 * What an `error` event tells of, by its `code`:
 *
 * - `SESSION_PANIC`: a fault of roomcast in one connection, which got 1011. Please report it.
 * - `SHARD_PANIC`: a fault of roomcast in a thread; its clients got 1011, and it starts again.
 *   Please report it.
 * - `CLUSTER_PANIC`: a fault of roomcast in the thread that speaks with Redis, which connects anew.
 *   Please report it.
 * - `LISTEN`: a thread of a hub that listens by itself cannot accept; the others do.
 * - `POLL`: the system does not tell a thread which of its sockets are ready.
 * - `CLUSTER_AUTH`: Redis refuses the user, the password or a command to this user.
 * - `CLUSTER_VERSION`: Redis is older than 7.0. This and `CLUSTER_AUTH` are told once until it is
 *   another; the hub goes on alone meanwhile and keeps trying.
 * - `CLUSTER_REFUSED`: Redis does not do what one room needs; at most once a minute.
 */
export type HubErrorCode =
  | 'SESSION_PANIC'
  | 'SHARD_PANIC'
  | 'CLUSTER_PANIC'
  | 'LISTEN'
  | 'POLL'
  | 'CLUSTER_AUTH'
  | 'CLUSTER_VERSION'
  | 'CLUSTER_REFUSED';

/** What an `error` event carries. */
export interface HubError extends Error {
  /**
   * Which fault it is; one that came to be with a later version may have another. A connection that
   * could not be taken over from Node, for want of descriptors for instance, is told without a code
   * of these.
   */
  code?: HubErrorCode | (string & {});
}

/**
 * What `require('roomcast')` and `import 'roomcast'` throw where the native addon does not load.
 * Its message names the platform, what was looked for and what to do.
 *
 * @example
 * try {
 *   require('roomcast');
 * } catch (error) {
 *   if (error.code !== 'ROOMCAST_NO_ADDON') throw error;
 *   console.error(error.message);
 * }
 */
export interface NoAddonError extends Error {
  /** By which it is told from other errors. */
  code: 'ROOMCAST_NO_ADDON';
  /** What Node's own loader said, where it came to that. */
  cause?: unknown;
}

/** The events of a {@link RoomWebSocketServer} and what their listeners are given. */
export interface RoomServerEvents<Data = unknown> {
  /**
   * A client was let in: `authenticate` said who it is, and it was told `CONNECTION_ESTABLISHED`.
   * ws' `connection`, without a request: what is to be known of it, `authenticate` puts into
   * `client.data`.
   */
  connection: [client: RoomClient<Data>];
  /**
   * A client that was let in is gone, by the code and reason that it or the hub gave; 1005: without
   * a code, 1006: without a Close frame (RFC 6455 section 7.4.1).
   */
  disconnect: [client: RoomClient<Data>, code: number, reason: string];
  /** A client has joined a room that it was not in. */
  join: [client: RoomClient<Data>, roomId: RoomId];
  /**
   * A client has left a room: by LEAVE_ROOM, `removeFromRoom`, or with its connection, then before
   * `disconnect`.
   */
  leave: [client: RoomClient<Data>, roomId: RoomId];
  /**
   * A client does not keep up: its backlog has passed `maxBufferedBytes` and is conflated from now
   * on. Once, until it is empty.
   */
  slow: [client: RoomClient<Data>];
  /**
   * Redis answers (`up`), or does not any more (`away`). The first comes after the start: `up` once
   * it is connected, or `away` where that takes longer than 1 s. Kept for the first listener. Only
   * where `cluster` is set.
   */
  cluster: [state: ClusterState];
  /**
   * Something went wrong in the hub, which goes on; see {@link HubErrorCode}. Logged where nobody
   * listens, never thrown.
   */
  error: [error: HubError];
  /** The hub has ended: no thread, timer or client is left. `close()` resolves at the same time. */
  close: [];
}

/** How a hub closes. */
export interface CloseOptions {
  /**
   * Time for clients to go, in milliseconds, once `spreadMs` is over; then they are cut off.
   * Default: `closeTimeout`.
   */
  graceMs?: number | undefined;
  /**
   * Time over which clients are closed, in milliseconds, so that they do not come back all at once.
   * Default: 0.
   */
  spreadMs?: number | undefined;
}

/**
 * A hub with the servers that it is attached to. Made by {@link setupRoomWebSocketServer}. What a
 * listener throws is logged. No event costs anything while nobody listens. Its methods of
 * {@link RoomService} are about this hub alone.
 *
 * @example
 * const rooms = setupRoomWebSocketServer(server);
 * rooms.on('join', (client, roomId) => console.log(client.userId, roomId));
 */
export class RoomWebSocketServer<Data = unknown>
  extends EventEmitter
  implements RoomService, AsyncDisposable
{
  private constructor();

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
   * @throws {TypeError} where it is no http or https server (an Express app is none).
   * @throws {Error} where a hub serves the path on that server, this one or another, or where the
   *   server or this hub is closing.
   */
  attach(server: HttpServer | HttpsServer): this;

  /**
   * Takes the connection of an upgrade request, whatever its path; for a bot that routes upgrades
   * itself (`noServer`), also after an await of its own. ws' method of this name without the
   * callback. A request that is refused is answered; a socket that cannot be taken over gets 503,
   * and there is an `error` event.
   *
   * @example
   * server.on('upgrade', (request, socket, head) => {
   *   if (request.url.startsWith('/ws/rooms')) rooms.handleUpgrade(request, socket, head);
   * });
   *
   * @throws {TypeError} where these are not what an `upgrade` event gives.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;

  /**
   * Where the hub listens, or the first of its servers that does, as Node's `server.address()` says
   * it; null: nowhere.
   */
  address(): AddressInfo | string | null;

  /**
   * A room's newest counts, which is what an endpoint that pages poll answers; undefined where
   * nothing is known of the room.
   *
   * @throws {TypeError} where the id is wrong.
   */
  getRoomState(roomId: RoomId): RoomState | undefined;

  /**
   * Drops a room's state and history, in the whole cluster; whether there was anything here.
   * Members stay, and get the next update as the first of a new `epoch`.
   *
   * @throws {TypeError} where the id is wrong.
   */
  forgetRoom(roomId: RoomId): boolean;

  /**
   * Connections that are in the room, over all processes of a cluster; what `ROOM_STATUS` tells
   * clients as `connectedClients`. A process that was killed is out within 30 s. Of this process
   * alone where there is no cluster, where Redis is away, and where the hub is closed. Never
   * rejects.
   *
   * @throws {TypeError} where the id is wrong.
   */
  getClusterClientCount(roomId: RoomId): Promise<number>;

  /**
   * Closes every connection of a user, in the whole cluster; how many those were in this process.
   *
   * @param code As of {@link RoomClient.close}. Default: 1008 `Disconnected`.
   * @param reason At most 123 bytes.
   * @throws {TypeError} where an argument is wrong.
   */
  disconnectUser(userId: string | number, code?: number, reason?: string): number;

  /**
   * Has every connection of a user leave a room, with `ROOM_LEFT`, in the whole cluster; how many
   * those were in this process.
   *
   * @throws {TypeError} where an argument is wrong.
   */
  removeFromRoom(userId: string | number, roomId: RoomId): number;

  /** Metrics in Prometheus' text format, of this process; every name starts with `roomcast_`. */
  metrics(): string;

  /**
   * Takes no more connections and updates, and closes every client with 1001
   * `Server shutting down`. The servers stay open, without the hub. Closing the last of them does
   * the same.
   *
   * @returns Resolves when the last thread has ended. The same promise each time.
   * @throws {TypeError} where an option is wrong.
   */
  close(options?: CloseOptions): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;

  /** Keeps the process alive while the hub listens by itself (as it does from the start). */
  ref(): this;
  /** Lets the process end though the hub listens. A hub that drains keeps it alive all the same. */
  unref(): this;

  /**
   * A client was let in: `authenticate` said who it is, and it was told `CONNECTION_ESTABLISHED`.
   * ws' `connection`, without a request: what is to be known of it, `authenticate` puts into
   * `client.data`.
   */
  on(event: 'connection', listener: (client: RoomClient<Data>) => void): this;
  /**
   * A client that was let in is gone, by the code and reason that it or the hub gave; 1005: without
   * a code, 1006: without a Close frame (RFC 6455 section 7.4.1).
   */
  on(
    event: 'disconnect',
    listener: (client: RoomClient<Data>, code: number, reason: string) => void,
  ): this;
  /** A client has joined a room that it was not in. */
  on(event: 'join', listener: (client: RoomClient<Data>, roomId: RoomId) => void): this;
  /**
   * A client has left a room: by LEAVE_ROOM, `removeFromRoom`, or with its connection, then before
   * `disconnect`.
   */
  on(event: 'leave', listener: (client: RoomClient<Data>, roomId: RoomId) => void): this;
  /**
   * A client does not keep up: its backlog has passed `maxBufferedBytes` and is conflated from now
   * on. Once, until it is empty.
   */
  on(event: 'slow', listener: (client: RoomClient<Data>) => void): this;
  /**
   * Redis answers (`up`), or does not any more (`away`). The first comes after the start: `up` once
   * it is connected, or `away` where that takes longer than 1 s. Kept for the first listener. Only
   * where `cluster` is set.
   */
  on(event: 'cluster', listener: (state: ClusterState) => void): this;
  /**
   * Something went wrong in the hub, which goes on; see {@link HubErrorCode}. Logged where nobody
   * listens, never thrown.
   */
  on(event: 'error', listener: (error: HubError) => void): this;
  /** The hub has ended: no thread, timer or client is left. `close()` resolves at the same time. */
  on(event: 'close', listener: () => void): this;
  /**
   * Calls the listener with each event of the name, which may be any of {@link RoomServerEvents}.
   */
  on<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  /** As {@link on}, for the next event of the name alone. */
  once<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  /** Takes a listener away that was given to {@link on} or any other of these. */
  off<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  /** The same as {@link on}. */
  addListener<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  /** The same as {@link off}. */
  removeListener<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  /** As {@link on}, before all that are there. */
  prependListener<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  /** As {@link once}, before all that are there. */
  prependOnceListener<E extends keyof RoomServerEvents>(
    event: E,
    listener: (...args: RoomServerEvents<Data>[E]) => void,
  ): this;
  /** Takes all listeners away, or those of one event. */
  removeAllListeners(event?: keyof RoomServerEvents): this;
  /** Calls the listeners, as the hub does. For tests of the bot. */
  emit<E extends keyof RoomServerEvents>(event: E, ...args: RoomServerEvents<Data>[E]): boolean;
  /** How many listeners an event has. */
  listenerCount<E extends keyof RoomServerEvents>(
    event: E,
    listener?: (...args: RoomServerEvents<Data>[E]) => void,
  ): number;
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
 * @throws {Error} where another hub serves the same path on that server, or it is closing.
 */
export function setupRoomWebSocketServer<Data = unknown>(
  server: HttpServer | HttpsServer,
  options?: RoomServerOptions<Data>,
): RoomWebSocketServer<Data>;
/**
 * Opens a hub that listens by itself: `authenticate` gets an {@link UpgradeRequest}.
 *
 * @throws {TypeError} where an option is unknown, wrong, or in conflict with another.
 * @throws {Error} where it cannot listen, with the `code` (`EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`,
 *   `EMFILE`, `ENOTFOUND`, `EIO`), `errno`, `syscall`, `address` and `port` of Node's own.
 *
 * @example
 * const rooms = setupRoomWebSocketServer({ port: 3001, host: '127.0.0.1' });
 */
export function setupRoomWebSocketServer<Data = unknown>(
  options: RoomServerOptions<Data, UpgradeRequest> &
    ListenOptions & {
      /** The hub listens by itself: nobody else can call it. */
      noServer?: false | undefined;
    },
): RoomWebSocketServer<Data>;
/**
 * Opens a hub for a bot that calls `handleUpgrade` itself.
 *
 * @throws {TypeError} where an option is unknown, wrong, or in conflict with another.
 */
export function setupRoomWebSocketServer<Data = unknown>(
  options: RoomServerOptions<Data> & {
    /** Says so, since a server that was forgotten looks the same. */
    noServer: true;
  },
): RoomWebSocketServer<Data>;

/**
 * Tells a room that somebody joined or left, over every open hub: one short call, whatever the
 * number of pages.
 *
 * @example
 * broadcastRoomUpdate(1, 'Ada', 25, 50, 'join'); // pages in room 1: USER_JOINED, 25 of 50
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

/**
 * Rooms over every open hub of this JavaScript environment (a worker thread has its own): updates
 * go to each, counts add up, lists unite.
 */
export const roomWebSocketService: RoomService;

/** What {@link sessionAuthenticator} takes. */
// biome-ignore lint/suspicious/noExplicitAny: a session holds what the bot has put there
export interface SessionAuthenticatorOptions<Session = any> {
  /** Name of the session's cookie; express-session's is `connect.sid` unless told otherwise. */
  cookieName: string;
  /** What the cookie is signed with; of a list, any may have signed it. */
  secret: string | readonly string[];
  /**
   * Finds the session of this id, or nothing where there is none; at once or by a promise. One that
   * throws or rejects is a fault of the server: 1013 `Try again later`.
   */
  loadSession(sid: string): Session | null | undefined | PromiseLike<Session | null | undefined>;
  /**
   * Who a session is of. Default: `session.user.id`. Where it gives no `expiresAt` the connection
   * ends with the session (`session.cookie.expires`, a Date or its text); `Infinity`: it does not.
   * Give an `expiresAt` where requests prolong the session (`rolling: true`) and the store keeps
   * that in a key's time to live alone, as connect-redis does: `session.cookie.expires` then stays
   * what it was when the session was last saved, and a connection past it is refused.
   */
  userFrom?(session: Session): Verdict;
}

/**
 * An `authenticate` hook for Express sessions: verifies the signed cookie and asks the bot for the
 * session. A cookie that is missing or not signed by one of the secrets is refused without asking.
 *
 * @example
 * setupRoomWebSocketServer(server, {
 *   authenticate: sessionAuthenticator({
 *     cookieName: 'connect.sid',
 *     secret: process.env.SESSION_SECRET,
 *     loadSession: sid => promisify(store.get).call(store, sid),
 *   }),
 * });
 *
 * @throws {TypeError} where an option is unknown, missing or wrong. The secret is in no message.
 */
// biome-ignore lint/suspicious/noExplicitAny: a session holds what the bot has put there
export function sessionAuthenticator<Session = any>(
  options: SessionAuthenticatorOptions<Session>,
): Authenticate<unknown, UpgradeRequest>;
