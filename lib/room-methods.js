'use strict';

const { closeCodeOf, closeReasonOf, roomIdOf, userIdOf } = require('./arguments.js');
const { NewsEmitter } = require('./news-emitter.js');
const { RoomService } = require('./service.js');

/** What a bot asks of one hub and does with its rooms and users. */
class RoomMethods extends NewsEmitter {
  #hub;
  #service;
  #counts;

  /**
   * @param {import('../binding.js').Hub} hub
   * @param {import('./cluster-counts.js').ClusterCounts} counts
   * @param {ReturnType<import('./log.js').createLog>} log
   */
  constructor(hub, counts, log) {
    super(mask => hub.listenFor(mask), log);
    this.#hub = hub;
    this.#service = new RoomService([hub]);
    this.#counts = counts;
  }

  broadcastRoomUpdate(roomId, update, currentCount, maxCount, eventType) {
    return this.#service.broadcastRoomUpdate(roomId, update, currentCount, maxCount, eventType);
  }

  notifyParticipantJoin(roomId, name, current, max) {
    return this.#service.notifyParticipantJoin(roomId, name, current, max);
  }

  notifyParticipantLeave(roomId, name, current, max) {
    return this.#service.notifyParticipantLeave(roomId, name, current, max);
  }

  notifyRoomStatusChange(roomId, status, current, max) {
    return this.#service.notifyRoomStatusChange(roomId, status, current, max);
  }

  broadcastParticipantCount(roomId, current, max) {
    return this.#service.broadcastParticipantCount(roomId, current, max);
  }

  getClientCount(roomId) {
    return this.#service.getClientCount(roomId);
  }

  getActiveRooms() {
    return this.#service.getActiveRooms();
  }

  getStats() {
    return this.#service.getStats();
  }

  disconnectRoom(roomId) {
    return this.#service.disconnectRoom(roomId);
  }

  getRoomState(roomId) {
    return this.#hub.roomState(roomIdOf(roomId)) ?? undefined;
  }

  forgetRoom(roomId) {
    return this.#hub.forgetRoom(roomIdOf(roomId));
  }

  getClusterClientCount(roomId) {
    return this.#counts.of(roomIdOf(roomId));
  }

  disconnectUser(userId, code, reason) {
    return this.#hub.disconnectUser(userIdOf(userId), closeCodeOf(code), closeReasonOf(reason));
  }

  removeFromRoom(userId, roomId) {
    return this.#hub.removeFromRoom(userIdOf(userId), roomIdOf(roomId));
  }

  metrics() {
    return this.#hub.metrics();
  }
}

module.exports = { RoomMethods };
