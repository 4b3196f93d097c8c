-- Applied at every start of the bot, as one transaction; what is there already stays as it is.
-- Several processes may start at once, and CREATE TABLE IF NOT EXISTS alone can fail between them.
SELECT pg_advisory_xact_lock(7266223);

CREATE TABLE IF NOT EXISTS hangout_groups (
  id integer PRIMARY KEY,
  title text NOT NULL,
  is_main boolean NOT NULL DEFAULT false
);

CREATE TABLE IF NOT EXISTS hangout_group_members (
  group_id integer NOT NULL REFERENCES hangout_groups ON DELETE CASCADE,
  user_id text NOT NULL,
  role text NOT NULL DEFAULT 'member',
  is_banned boolean NOT NULL DEFAULT false,
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (group_id, user_id)
);

-- current_participants is a column and not a count(*), so that one UPDATE can hold the maximum: it
-- waits for the row and looks again. revision grows with every change, which puts answers that
-- overtake each other on their way to the bot back into order.
CREATE TABLE IF NOT EXISTS main_rooms (
  id integer PRIMARY KEY,
  group_id integer NOT NULL REFERENCES hangout_groups ON DELETE CASCADE,
  name text NOT NULL,
  max_participants integer NOT NULL CHECK (max_participants > 0),
  current_participants integer NOT NULL DEFAULT 0,
  revision bigint NOT NULL DEFAULT 0,
  CHECK (current_participants BETWEEN 0 AND max_participants)
);

-- A session that ends without a word takes its user out of the rooms at session_ends.
CREATE TABLE IF NOT EXISTS main_room_participants (
  room_id integer NOT NULL REFERENCES main_rooms ON DELETE CASCADE,
  user_id text NOT NULL,
  name text NOT NULL,
  joined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  session_ends timestamptz,
  PRIMARY KEY (room_id, user_id)
);
CREATE INDEX IF NOT EXISTS main_room_participants_user ON main_room_participants (user_id);
CREATE INDEX IF NOT EXISTS main_room_participants_session_ends
  ON main_room_participants (session_ends);

INSERT INTO hangout_groups (id, title, is_main) VALUES (1, 'Everyone', true), (2, 'Team', false)
  ON CONFLICT DO NOTHING;

INSERT INTO main_rooms (id, group_id, name, max_participants) VALUES
  (1, 1, 'Lobby', 50),
  (2, 1, 'Study hall', 12),
  (3, 1, 'Music lounge', 20),
  (4, 1, 'Game night', 4),
  (5, 2, 'Backstage', 6)
  ON CONFLICT DO NOTHING;
