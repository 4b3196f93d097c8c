// The types of the browser's client, in a page. What compiles here is right; what is wrong says so.
import {
  RoomClient,
  type RoomClientOptions,
  type RoomClientState,
  type RoomId,
  type RoomStatus,
  type RoomUpdate,
} from 'roomcast/client';

// Options
new RoomClient();
new RoomClient({ url: '/rooms', poll: false, pingInterval: 10_000 });
new RoomClient({ url: new URL('wss://bot.example/ws/rooms'), poll: { url: '/rooms' } });
const options: RoomClientOptions = { url: undefined, poll: { interval: 1_000, url: undefined } };
const client = new RoomClient(options);
// @ts-expect-error no such option
new RoomClient({ uri: '/ws/rooms' });
// @ts-expect-error a string where a number belongs
new RoomClient({ pingInterval: '25s' });
// @ts-expect-error true says no more than the default
new RoomClient({ poll: true });
// @ts-expect-error a number of milliseconds by itself
new RoomClient({ poll: 5_000 });
// @ts-expect-error a URL by itself
new RoomClient('wss://bot.example/ws/rooms');

// Rooms
const id: RoomId = 'lobby';
client.join(1);
client.leave(id);
// @ts-expect-error not a room
client.join({ id: 1 });
// @ts-expect-error not a room
client.leave(null);
const status: RoomStatus = await client.status(1);
const connected: number = status.connectedClients;
client.close();

// State
const state: RoomClientState = client.state;
// @ts-expect-error it is the client's to say
client.state = 'live';
// @ts-expect-error no such state
if (client.state === 'waiting') client.close();

// Events
client.addEventListener('state', ({ detail }) => {
  const now: RoomClientState = detail;
  // @ts-expect-error it is a word
  detail.state;
  return now;
});
client.addEventListener('update', event => {
  const update: RoomUpdate = event.detail;
  const seq: number | undefined = update.seq;
  if (update.event === 'USER_JOINED') {
    const name: unknown = update.participantName;
    return [name, seq];
  }
  return update.roomId;
});
client.addEventListener(
  'error',
  ({ detail: { error, roomId, action, code } }) => {
    const told: [string, RoomId | undefined, string | undefined, number | undefined] = [
      error,
      roomId,
      action,
      code,
    ];
    // @ts-expect-error an Error is not what it is
    error.message;
    return told;
  },
  { once: true, signal: AbortSignal.timeout(1_000) },
);
client.addEventListener('update', { handleEvent: ({ detail }) => detail.event });
const listener = ({ detail }: CustomEvent<RoomUpdate>) => detail.timestamp;
client.addEventListener('update', listener);
client.removeEventListener('update', listener);
client.addEventListener('other', (event: Event) => event.type);
// @ts-expect-error the detail of another event
client.addEventListener('state', listener);

export { connected, state };
