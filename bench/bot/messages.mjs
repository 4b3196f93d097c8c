// The room protocol's messages, as a server without roomcast makes them: what every peer sends, to
// the byte but for times and numbers. (roomcast appends `seq` and `epoch`; so do these.)

const seqs = new Map();

export function established(userId) {
  return JSON.stringify({
    type: 'CONNECTION_ESTABLISHED',
    userId,
    timestamp: new Date().toISOString(),
    message: 'Connected to room updates',
  });
}

export function joined(roomId, userId) {
  return JSON.stringify({
    type: 'ROOM_JOINED',
    roomId,
    userId,
    timestamp: new Date().toISOString(),
    message: `Joined room ${roomId}`,
    seq: seqs.get(roomId) ?? 0,
    epoch: 'k3f9a2',
  });
}

/** An update as an object, numbered within its room. */
export function update(roomId, participantName, currentParticipants, maxParticipants) {
  const seq = (seqs.get(roomId) ?? 0) + 1;
  seqs.set(roomId, seq);
  return {
    type: 'ROOM_UPDATE',
    roomId,
    event: 'USER_JOINED',
    participantName,
    currentParticipants,
    maxParticipants,
    isFull: currentParticipants >= maxParticipants,
    availableSlots: Math.max(0, maxParticipants - currentParticipants),
    timestamp: new Date().toISOString(),
    seq,
  };
}

/** The room that a client's message asks to join; undefined where it asks for something else. */
export function roomToJoin(text) {
  const message = JSON.parse(text);
  return message.action === 'JOIN_ROOM' ? message.roomId : undefined;
}

export function userOf(query) {
  return new URLSearchParams(query).get('userId');
}
