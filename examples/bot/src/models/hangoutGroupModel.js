'use strict';

const { query } = require('../database');

/** Whoever signs in is a member of the main groups; a ban stays a ban. */
async function joinMainGroups(userId) {
  await query(
    `INSERT INTO hangout_group_members (group_id, user_id)
     SELECT id, $1 FROM hangout_groups WHERE is_main
     ON CONFLICT DO NOTHING`,
    [userId],
  );
}

/**
 * Whether the user is a member of the room's group, and not banned from it.
 *
 * @param {number | null} roomId
 * @param {string} userId
 * @returns {Promise<'granted' | 'denied' | 'no such room'>}
 */
async function accessTo(roomId, userId) {
  const [room] = await query(
    `SELECT EXISTS (
       SELECT FROM hangout_group_members
       WHERE group_id = main_rooms.group_id AND user_id = $2 AND NOT is_banned
     ) AS granted
     FROM main_rooms WHERE id = $1`,
    [roomId, userId],
  );
  if (!room) return 'no such room';
  return room.granted ? 'granted' : 'denied';
}

module.exports = { accessTo, joinMainGroups };
