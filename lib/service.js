'use strict';

const { countOf, joinedOf, nameOf, roomIdOf, statusOf } = require('./arguments.js');
const { customUpdateOf } = require('./custom-update.js');

/**
 * What a bot does with rooms, over one hub or several: updates go to each, counts add up, lists
 * unite. Arguments are checked also where there is no hub.
 */
class RoomService {
  #hubs;

  /**
   * @param {import('../binding.js').Hub[]} hubs Kept, not copied: hubs come and go in it.
   */
  constructor(hubs) {
    this.#hubs = hubs;
  }

  broadcastRoomUpdate(roomId, update, currentCount, maxCount, eventType) {
    if (typeof update === 'object' && update !== null) return this.#broadcastCustom(roomId, update);
    const room = roomIdOf(roomId);
    const name = nameOf('participantName', update);
    const current = countOf('currentCount', currentCount);
    const max = countOf('maxCount', maxCount);
    return this.#broadcastParticipant(room, joinedOf(eventType), name, current, max);
  }

  notifyParticipantJoin(roomId, name, current, max) {
    return this.#notifyParticipant(roomId, true, name, current, max);
  }

  notifyParticipantLeave(roomId, name, current, max) {
    return this.#notifyParticipant(roomId, false, name, current, max);
  }

  notifyRoomStatusChange(roomId, status, current, max) {
    const room = roomIdOf(roomId);
    const news = statusOf(status);
    const now = countOf('current', current);
    const most = countOf('max', max);
    let sent = false;
    for (const hub of this.#hubs) sent = hub.broadcastStatus(room, news, now, most) || sent;
    return sent;
  }

  broadcastParticipantCount(roomId, current, max) {
    const room = roomIdOf(roomId);
    const now = countOf('current', current);
    const most = countOf('max', max);
    let sent = false;
    for (const hub of this.#hubs) sent = hub.broadcastCount(room, now, most) || sent;
    return sent;
  }

  getClientCount(roomId) {
    const room = roomIdOf(roomId);
    return this.#sum(hub => hub.clientCount(room));
  }

  getActiveRooms() {
    if (this.#hubs.length === 1) return this.#hubs[0].activeRooms();
    return [...new Set(this.#hubs.flatMap(hub => hub.activeRooms()))];
  }

  disconnectRoom(roomId) {
    const room = roomIdOf(roomId);
    return this.#sum(hub => hub.disconnectRoom(room));
  }

  getStats() {
    if (this.#hubs.length === 1) return this.#hubs[0].stats();
    const all = this.#hubs.map(hub => hub.stats());
    const total = key => all.reduce((sum, stats) => sum + stats[key], 0);
    const activeRooms = this.getActiveRooms();
    return {
      totalRoomsWithClients: activeRooms.length,
      totalConnections: total('totalConnections'),
      // A user may be on several hubs, so these totals do not add up.
      totalUsersTracked: new Set(this.#hubs.flatMap(hub => hub.userRooms())).size,
      activeRooms,
      openConnections: total('openConnections'),
      roomsKnown: total('roomsKnown'),
      bufferedBytes: total('bufferedBytes'),
      updatesTotal: total('updatesTotal'),
      deliveriesTotal: total('deliveriesTotal'),
      conflatedTotal: total('conflatedTotal'),
      slowClients: total('slowClients'),
      uptimeSeconds: Math.max(0, ...all.map(stats => stats.uptimeSeconds)),
      perThread: all.flatMap(stats => stats.perThread),
    };
  }

  #notifyParticipant(roomId, joined, name, current, max) {
    const room = roomIdOf(roomId);
    const participant = nameOf('name', name);
    const now = countOf('current', current);
    return this.#broadcastParticipant(room, joined, participant, now, countOf('max', max));
  }

  #broadcastParticipant(room, joined, name, current, max) {
    let sent = false;
    for (const hub of this.#hubs) {
      const tell = joined ? hub.tellJoined : hub.tellLeft;
      sent = tell(room, name, current, max) || sent;
    }
    return sent;
  }

  #broadcastCustom(roomId, update) {
    const room = roomIdOf(roomId);
    const { fields, current, max } = customUpdateOf(update);
    let sent = false;
    for (const hub of this.#hubs) sent = hub.broadcastCustom(room, fields, current, max) || sent;
    return sent;
  }

  #sum(count) {
    return this.#hubs.reduce((sum, hub) => sum + count(hub), 0);
  }
}

module.exports = { RoomService };
