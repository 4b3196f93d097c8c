'use strict';

const { query } = require('../database');

const UNIQUE_VIOLATION = '23505';
const LARGEST_ID = 2 ** 31 - 1;

/**
 * The counts of a room after its newest change; of two, those of the higher revision are newer.
 *
 * @typedef {object} Counts
 * @property {number} id
 * @property {number} currentParticipants
 * @property {number} maxParticipants
 * @property {number} revision
 */

const COUNTS = 'id, current_participants, max_participants, revision';

const countsOf = row => ({
  id: row.id,
  currentParticipants: row.current_participants,
  maxParticipants: row.max_participants,
  revision: Number(row.revision),
});

const ROOM = `
  SELECT main_rooms.id, main_rooms.name, current_participants, max_participants, revision,
    ARRAY(
      SELECT name FROM main_room_participants WHERE room_id = main_rooms.id
      ORDER BY joined_at, user_id
    ) AS participants,
    EXISTS (
      SELECT FROM main_room_participants WHERE room_id = main_rooms.id AND user_id = $1
    ) AS inside
  FROM main_rooms`;

const roomOf = row => ({
  ...countsOf(row),
  name: row.name,
  inside: row.inside,
  participants: row.participants,
});

/** The rooms of the groups that the user is a member of. */
async function list(userId) {
  const rows = await query(
    `${ROOM} JOIN hangout_group_members USING (group_id)
     WHERE user_id = $1 AND NOT is_banned
     ORDER BY main_rooms.id`,
    [userId],
  );
  return rows.map(roomOf);
}

/** One room as this user sees it, `inside` and all; null where there is none. */
async function getById(id, userId) {
  const [row] = await query(`${ROOM} WHERE main_rooms.id = $2`, [userId, id]);
  return row ? roomOf(row) : null;
}

/** Every room's counts. @returns {Promise<Counts[]>} */
async function counts() {
  return (await query(`SELECT ${COUNTS} FROM main_rooms ORDER BY id`)).map(countsOf);
}

/**
 * Takes a user in, never beyond the maximum, however many come at once: the UPDATE waits for whoever
 * has the row, and then looks at the condition again.
 *
 * @param {number} id
 * @param {{ id: string, name: string }} user
 * @param {Date} sessionEnds when the user is out again without a word
 * @returns {Promise<{ result: 'joined', counts: Counts } | { result: 'already in' | 'full' }>}
 */
async function joinRoom(id, user, sessionEnds) {
  for (;;) {
    const counts = await addParticipant(id, user, sessionEnds);
    if (counts) return { result: 'joined', counts };
    const result = await whyNot(id, user.id);
    // Neither any more: somebody has just left.
    if (result) return { result };
  }
}

async function addParticipant(id, user, sessionEnds) {
  try {
    const [row] = await query(
      `WITH room AS (
         UPDATE main_rooms
         SET current_participants = current_participants + 1, revision = revision + 1
         WHERE id = $1 AND current_participants < max_participants AND NOT EXISTS (
           SELECT FROM main_room_participants WHERE room_id = $1 AND user_id = $2
         )
         RETURNING ${COUNTS}
       ), participant AS (
         INSERT INTO main_room_participants (room_id, user_id, name, session_ends)
         SELECT id, $2, $3, $4 FROM room
       )
       SELECT ${COUNTS} FROM room`,
      [id, user.id, user.name, sessionEnds],
    );
    return row && countsOf(row);
  } catch (error) {
    // The same user twice at once: this one came second, and with it the whole statement is undone.
    if (error.code === UNIQUE_VIOLATION) return undefined;
    throw error;
  }
}

async function whyNot(id, userId) {
  const [room] = await query(
    `SELECT current_participants >= max_participants AS "isFull", EXISTS (
       SELECT FROM main_room_participants WHERE room_id = $1 AND user_id = $2
     ) AS inside
     FROM main_rooms WHERE id = $1`,
    [id, userId],
  );
  if (room?.inside) return 'already in';
  // A room that has been taken away holds nobody.
  return !room || room.isFull ? 'full' : undefined;
}

/**
 * Lets a user go. The room's row is locked first, as in a join, so that the two cannot wait for each
 * other.
 *
 * @returns {Promise<Counts | null>} null where the user was not inside
 */
async function leaveRoom(id, userId) {
  const [row] = await query(
    `WITH locked AS MATERIALIZED (
       SELECT id FROM main_rooms WHERE id = $1 FOR UPDATE
     ), gone AS (
       DELETE FROM main_room_participants USING locked
       WHERE room_id = locked.id AND user_id = $2
       RETURNING room_id
     )
     UPDATE main_rooms
     SET current_participants = current_participants - 1, revision = revision + 1
     FROM gone WHERE id = gone.room_id
     RETURNING ${COUNTS}`,
    [id, userId],
  );
  return row ? countsOf(row) : null;
}

/** The ids of the rooms that a user is in. */
async function roomsOf(userId) {
  const rows = await query('SELECT room_id FROM main_room_participants WHERE user_id = $1', [
    userId,
  ]);
  return rows.map(row => row.room_id);
}

/** Those whose session has ended: `{ roomId, userId, name }[]`. */
async function overdue() {
  const rows = await query(
    'SELECT room_id, user_id, name FROM main_room_participants WHERE session_ends <= now()',
  );
  return rows.map(row => ({ roomId: row.room_id, userId: row.user_id, name: row.name }));
}

/** What of a URL or a message can be a room's id: the number, or null. */
function idOf(value) {
  const id = typeof value === 'string' && /^[1-9]\d{0,9}$/.test(value) ? Number(value) : value;
  return Number.isInteger(id) && id >= 0 && id <= LARGEST_ID ? id : null;
}

module.exports = { counts, getById, idOf, joinRoom, leaveRoom, list, overdue, roomsOf };
