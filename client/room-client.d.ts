/** A non-negative integer up to 2^53-1, or 1 to 128 bytes of text without control characters. `'1'` and `1` are one room. */
export type RoomId = number | string;

/**
 * - `connecting`: a socket is being tried for, and nothing is known to be wrong.
 * - `live`: updates come as they happen.
 * - `polling`: no socket can be had; the rooms are asked for at intervals, and that works.
 * - `offline`: nothing works, or the browser says that it is offline. It is tried on.
 * - `closed`: for good, after `close()` or a close code 1008.
 */
export type RoomClientState = 'connecting' | 'live' | 'polling' | 'offline' | 'closed';

export interface PollOptions {
  /** `GET {url}/{roomId}`. Relative to the page, or whole. Default: `/api/rooms`. */
  url?: string | URL | undefined;
  /** Milliseconds between the end of one round and the beginning of the next. Default: 5 000. */
  interval?: number | undefined;
}

export interface RoomClientOptions {
  /** Of the WebSocket; relative to the page, or whole. http(s) becomes ws(s). Default: `/ws/rooms`. */
  url?: string | URL | undefined;
  /** How rooms are polled where no socket can be had; false: never. */
  poll?: PollOptions | false | undefined;
  /** Milliseconds between PINGs. A dead connection is found within two. Default: 25 000. */
  pingInterval?: number | undefined;
}

/** Participants of a room. */
export interface Counts {
  currentParticipants: number;
  maxParticipants: number;
  isFull: boolean;
  availableSlots: number;
}

interface Numbered {
  type: 'ROOM_UPDATE';
  roomId: RoomId;
  /** ISO 8601, UTC, milliseconds. Of a poll: when it was answered. */
  timestamp: string;
  /** Grows by one with every update of the room. Missing where a polled endpoint does not say it. */
  seq?: number | undefined;
  /** Where it is new. Changes when the room's numbers start again. */
  epoch?: string | undefined;
}

export interface ParticipantUpdate extends Numbered, Counts {
  event: 'USER_JOINED' | 'USER_LEFT';
  participantName: string;
}

export interface StatusUpdate extends Numbered, Counts {
  event: 'ROOM_STATUS_CHANGED';
  status: 'FULL' | 'AVAILABLE' | 'OFFLINE';
}

export interface CountUpdate extends Numbered, Counts {
  event: 'PARTICIPANT_COUNT_UPDATED';
}

/** One of the bot's own, under a name and with fields of its own. */
export interface CustomUpdate extends Numbered {
  event: string & {};
  [field: string]: unknown;
}

/** ROOM_UPDATE, as the server sends it. One of the bot's own need not have counts. */
export type RoomUpdate = ParticipantUpdate | StatusUpdate | CountUpdate | CustomUpdate;

export interface RoomStatus {
  type: 'ROOM_STATUS';
  roomId: RoomId;
  /** Connections that are in the room. */
  connectedClients: number;
  timestamp: string;
}

export interface RoomClientError {
  /** The server's word, such as `Access denied to this room`, or `Removed from room`. */
  error: string;
  roomId?: RoomId | undefined;
  /** What the server refused to do, where it says so. */
  action?: string | undefined;
  /** 1008: the close code that ended the client. 4xx: the status of a poll that was refused. */
  code?: number | undefined;
}

export interface RoomClientEvents {
  update: CustomEvent<RoomUpdate>;
  /** The new state. */
  state: CustomEvent<RoomClientState>;
  error: CustomEvent<RoomClientError>;
}

/**
 * Rooms of a roomcast server, live in a browser: comes back after every interruption without showing an
 * update twice or an older one after a newer, and polls where no WebSocket can be had.
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
   * @returns Rejects with a TypeError where the id is wrong, and with an Error that says why where there is
   *   no live connection, or where it ends before the answer.
   */
  status(roomId: RoomId): Promise<RoomStatus>;

  /** Closes the connection (1000) for good. Nothing is dispatched after the state `closed`. */
  close(): void;

  addEventListener<E extends keyof RoomClientEvents>(
    type: E,
    listener:
      | ((this: RoomClient, event: RoomClientEvents[E]) => void)
      | { handleEvent(event: RoomClientEvents[E]): void }
      | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;

  removeEventListener<E extends keyof RoomClientEvents>(
    type: E,
    listener:
      | ((this: RoomClient, event: RoomClientEvents[E]) => void)
      | { handleEvent(event: RoomClientEvents[E]): void }
      | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}
