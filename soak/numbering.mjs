// What makes an update tell by itself which one it is. The bot numbers the updates of each room,
// through all of the room's epochs, and writes the number into what the update says; so a client
// can tell what it missed without believing the hub's own `seq`.

/** Rooms of small updates, named in both ways that there are. */
export const ROOMS = [
  ...Array.from({ length: 16 }, (_, index) => index + 1),
  ...['lobby', 'Ωmega', 'room 3', '__proto__'],
];

/** A room of large updates: those fill what the kernel holds for a client that does not read. */
export const HEAVY = 'heavy';

const PAD = 'x'.repeat(60_000);

/** Every so many-th update has no counts: it is news, and does not become the room's state. */
const NEWS = 7;

const SLOTS = 10;

/** Hands a room's update over to the hub. */
export function send(hub, roomId, number) {
  const counts = [number, number + SLOTS];
  const own = { number, currentParticipants: counts[0], maxParticipants: counts[1] };
  if (number % NEWS === 0) return hub.broadcastRoomUpdate(roomId, { event: 'NEWS', number });
  if (roomId === HEAVY) {
    return hub.broadcastRoomUpdate(roomId, { event: 'LARGE', ...own, pad: PAD });
  }
  const ways = [
    () => hub.broadcastRoomUpdate(roomId, 'Ada', ...counts, 'join'),
    () => hub.notifyParticipantLeave(roomId, 'Ada', ...counts),
    () => hub.notifyRoomStatusChange(roomId, 'FULL', ...counts),
    () => hub.notifyRoomStatusChange(roomId, 'AVAILABLE', ...counts),
    () => hub.broadcastParticipantCount(roomId, ...counts),
    () => hub.broadcastRoomUpdate(roomId, { event: 'OWN', ...own }),
  ];
  return ways[(number % NEWS) - 1]();
}

/** The number of an update, or of the state that a snapshot shows; undefined where it has none. */
export function numberOf({ number, currentParticipants, maxParticipants }) {
  if (currentParticipants === undefined) return number;
  return maxParticipants === currentParticipants + SLOTS ? currentParticipants : undefined;
}

/** The number of the newest update with counts, once `number` is the newest of all. */
export function newestWithCounts(number) {
  return number % NEWS === 0 ? number - 1 : number;
}
