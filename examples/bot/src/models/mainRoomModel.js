'use strict';

// The rooms and who is in them. A real bot asks its database here, which is why everything is
// async.

const rooms = new Map(
  [
    { id: 1, name: 'Lobby', maxParticipants: 50 },
    { id: 2, name: 'Study hall', maxParticipants: 12 },
    { id: 3, name: 'Music lounge', maxParticipants: 20 },
    { id: 4, name: 'Game night', maxParticipants: 4 },
  ].map(room => [room.id, { ...room, participants: new Set() }]),
);

function view({ id, name, maxParticipants, participants }) {
  const currentParticipants = participants.size;
  return {
    id,
    name,
    currentParticipants,
    maxParticipants,
    isFull: currentParticipants >= maxParticipants,
    availableSlots: Math.max(0, maxParticipants - currentParticipants),
  };
}

/** Every room: `{ id, name, currentParticipants, maxParticipants, isFull, availableSlots }[]`. */
async function list() {
  return [...rooms.values()].map(view);
}

/** One room, or null. */
async function getById(id) {
  const room = rooms.get(id);
  return room ? view(room) : null;
}

/** `'joined'`, `'already in'` or `'full'`. */
async function joinRoom(id, userId) {
  const { participants, maxParticipants } = rooms.get(id);
  if (participants.has(userId)) return 'already in';
  if (participants.size >= maxParticipants) return 'full';
  participants.add(userId);
  return 'joined';
}

/** Whether the user was in the room. */
async function leaveRoom(id, userId) {
  return rooms.get(id).participants.delete(userId);
}

module.exports = { list, getById, joinRoom, leaveRoom };
