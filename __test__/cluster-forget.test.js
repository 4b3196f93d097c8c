'use strict';

// A room that one process forgets stays forgotten, however busily another asks what is known of it.

const assert = require('node:assert/strict');
const { it } = require('node:test');
const { needsRedis, startRedis } = require('./support/redis');
const { startServer } = require('./support/server');
const { nextEvent, until } = require('./support/wait');

const ROOMS = 20;

it('a room that is polled elsewhere stays forgotten', needsRedis, async t => {
  const redis = await startRedis(t);
  const options = { form: 'standalone', threads: 1, cluster: { url: redis.url } };
  const [here, there] = [await startServer(t, options), await startServer(t, options)];
  await Promise.all([here, there].map(({ hub }) => nextEvent(hub, 'cluster')));

  const rooms = Array.from({ length: ROOMS }, (_, room) => room);
  for (const room of rooms) there.hub.broadcastParticipantCount(room, 1, 2);
  const known = ({ hub }) => rooms.filter(room => hub.getRoomState(room) !== undefined);
  for (const server of [here, there]) {
    await until(() => known(server).length === ROOMS, 'all rooms known');
  }

  for (const room of rooms) {
    here.hub.forgetRoom(room);
    there.hub.getRoomState(room);
  }
  for (const server of [here, there]) {
    await until(
      () => known(server).length === 0,
      () => `rooms forgotten: all but ${known(server)}`,
    );
  }
  // Whatever was on its way for a room has come before this is answered: a call at a time.
  for (const { hub } of [here, there])
    await Promise.all(rooms.map(room => hub.getClusterClientCount(room)));
  const current = rooms.map(room => redis.cli('HGET', `roomcast:room:{${room}}:s`, 'current'));
  assert.deepEqual(await Promise.all(current), Array(ROOMS).fill(''));
});
