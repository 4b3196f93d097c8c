/**
 * A non-negative integer up to 2^53-1, or 1 to 128 bytes of text without control characters. `'1'`
 * and `1` are one room, and events carry `1`.
 */
export type RoomId = number | string;

/**
 * How it stands with the connection:
 *
 * - `connecting`: a socket is being tried for, and nothing is known to be wrong.
 * - `live`: updates come as they happen.
 * - `polling`: no socket can be had; the rooms are asked for at intervals, and that works.
 * - `offline`: nothing works, or the browser says that it is offline. It is tried on.
 * - `closed`: for good, after `close()` or a close code 1008.
 */
export type RoomClientState = 'connecting' | 'live' | 'polling' | 'offline' | 'closed';

/** How rooms are polled where no WebSocket can be had. */
export interface PollOptions {
  /**
   * Where: `GET {url}/{roomId}`, which answers what the hub's `getRoomState` says. Relative to the
   * page, or whole. Default: `/api/rooms`.
   */
  url?: string | URL | undefined;
  /**
   * How often: milliseconds between the end of one round and the beginning of the next. Default: 5
   * 000.
   */
  interval?: number | undefined;
}

/** What a {@link RoomClient} is made with, all of it optional. What is unknown or wrong throws. */
export interface RoomClientOptions {
  /**
   * Where the WebSocket is; relative to the page, or whole. http(s) becomes ws(s). Default:
   * `/ws/rooms`.
   */
  url?: string | URL | undefined;
  /**
   * How rooms are polled where no socket can be had, from the third failure in a row on; false:
   * never. Default: `{ url: '/api/rooms', interval: 5_000 }`.
   */
  poll?: PollOptions | false | undefined;
  /** Milliseconds between PINGs. A dead connection is found within two. Default: 25 000. */
  pingInterval?: number | undefined;
}

/** Participants of a room. */
export interface Counts {
  /** How many are in the room, as the bot says. */
  currentParticipants: number;
  /** How many may be. */
  maxParticipants: number;
  /** `currentParticipants >= maxParticipants`. */
  isFull: boolean;
  /** The difference, never below 0. */
  availableSlots: number;
}

/** What every update has. */
interface Numbered {
  /** Of every update. */
  type: 'ROOM_UPDATE';
  /** Which room it is about; a number where the id is an integer. */
  roomId: RoomId;
  /** ISO 8601, UTC, milliseconds. Of a poll: when it was answered. */
  timestamp: string;
  /**
   * Grows by one with every update of the room. Missing where a polled endpoint does not say it.
   */
  seq?: number | undefined;
  /** What `seq` counts in; set where `seq` is. Changes when the room's numbers start again. */
  epoch?: string | undefined;
}

/** Somebody joined or left, of `broadcastRoomUpdate` and the like. */
export interface ParticipantUpdate extends Numbered, Counts {
  /** Which of the two. */
  event: 'USER_JOINED' | 'USER_LEFT';
  /** Who, at most 256 bytes; `User` where the bot has no name. */
  participantName: string;
}

/** The room's status changed, of `notifyRoomStatusChange`. */
export interface StatusUpdate extends Numbered, Counts {
  /** Tells it from other updates. */
  event: 'ROOM_STATUS_CHANGED';
  /** The new one, as the bot says. */
  status: 'FULL' | 'AVAILABLE' | 'OFFLINE';
}

/**
 * The counts alone: of `broadcastParticipantCount`, of a join (what the room is at now), of a poll.
 */
export interface CountUpdate extends Numbered, Counts {
  /** Tells it from other updates. */
  event: 'PARTICIPANT_COUNT_UPDATED';
}

/** One of the bot's own, under a name and with fields of its own. */
export interface CustomUpdate extends Numbered {
  /** The bot's own name for it. */
  event: string & {};
  /** What the bot has sent along. */
  [field: string]: unknown;
}

/** ROOM_UPDATE, as the server sends it. One of the bot's own need not have counts. */
export type RoomUpdate = ParticipantUpdate | StatusUpdate | CountUpdate | CustomUpdate;

/** ROOM_STATUS, as the server sends it. */
export interface RoomStatus {
  /** Always this. */
  type: 'ROOM_STATUS';
  /** Which room was asked about. */
  roomId: RoomId;
  /** Connections that are in the room, over all processes of a cluster. */
  connectedClients: number;
  /** ISO 8601, UTC, milliseconds: when it was so. */
  timestamp: string;
}

/** What an `error` event tells. Nothing has to be done about most: the client goes on by itself. */
export interface RoomClientError {
  /** The server's word, such as `Access denied to this room`, or `Removed from room`. */
  error: string;
  /** Which room it is about, where it is about one. */
  roomId?: RoomId | undefined;
  /** What the server refused to do, where it says so. */
  action?: string | undefined;
  /** 1008: the close code that ended the client. 4xx: the status of a poll that was refused. */
  code?: number | undefined;
}

/** The events of a {@link RoomClient}; what each tells is its `detail`. */
export interface RoomClientEvents {
  /**
   * Something changed in a room that was joined: an update, never twice, none after a newer one.
   */
  update: CustomEvent<RoomUpdate>;
  /** The new state, whenever it changes. */
  state: CustomEvent<RoomClientState>;
  /** The server refused something, or ended the client with 1008. */
  error: CustomEvent<RoomClientError>;
}

/**
 * Rooms of a roomcast server, live in a browser: comes back after every interruption without
 * showing an update twice or an older one after a newer, and polls where no WebSocket can be had.
 *
 * @example
 * const client = new RoomClient();
 * client.addEventListener('update', ({ detail }) => console.log(detail.roomId, detail.currentParticipants));
 * client.join(1);
 */
export class RoomClient extends EventTarget {
  /**
   * Connects at once.
   *
   * @throws {TypeError} where an option is unknown or wrong.
   */
  constructor(options?: RoomClientOptions);

  /** How it stands now; a `state` event tells of each change. */
  readonly state: RoomClientState;

  /**
   * Is in a room from now on, over every reconnect. Does nothing where it is in already, or closed.
   *
   * @throws {TypeError} where the id is wrong.
   */
  join(roomId: RoomId): void;

  /**
   * Is not in a room any more; no update of it comes after this.
   *
   * @throws {TypeError} where the id is wrong.
   */
  leave(roomId: RoomId): void;

  /**
   * How many connections are in a room, which need not be one that was joined.
   *
   * @returns Rejects with a TypeError where the id is wrong, and with an Error that says why where
   *   there is no live connection, or where it ends before the answer.
   */
  status(roomId: RoomId): Promise<RoomStatus>;

  /** Closes the connection (1000) for good. Nothing is dispatched after the state `closed`. */
  close(): void;

  /** Calls the listener with each event of the type; see {@link RoomClientEvents}. */
  addEventListener<E extends keyof RoomClientEvents>(
    type: E,
    listener:
      | ((this: RoomClient, event: RoomClientEvents[E]) => void)
      | {
          /** Called with the event. */
          handleEvent(event: RoomClientEvents[E]): void;
        }
      | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** The same for a type that is not one of the client's own. */
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;

  /** Takes a listener away that {@link addEventListener} was given. */
  removeEventListener<E extends keyof RoomClientEvents>(
    type: E,
    listener:
      | ((this: RoomClient, event: RoomClientEvents[E]) => void)
      | {
          /** Called with the event. */
          handleEvent(event: RoomClientEvents[E]): void;
        }
      | null,
    options?: boolean | EventListenerOptions,
  ): void;
  /** The same for a type that is not one of the client's own. */
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}
