'use strict';

// Names that mean something to JavaScript, as any string that a client may send
// (GHSA-gr94-w7qr-f4j3): they are names like any other, in every answer, hook, event and figure, and
// no object of the bot's process is changed by them.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { openRaw, upgradeRequest } = require('./support/raw');
const { FORMS } = require('./support/server');
const { nextEvent } = require('./support/wait');

const NAMES = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'then'],
  ...['__defineGetter__', '__lookupSetter__', 'isPrototypeOf', 'toJSON', 'length', 'undefined'],
];

/** Everything that a polluted prototype would show. */
function prototypes() {
  return [Object, Array, Function, String, Map, Set, Promise].map(({ prototype }) =>
    JSON.stringify(Object.getOwnPropertyDescriptors(prototype), (_, value) =>
      typeof value === 'function' ? `function ${value.name}` : value,
    ),
  );
}

const untouched = prototypes();

for (const form of FORMS) {
  describe(`names that mean something to JavaScript, ${form}`, () => {
    it('are users', async t => {
      const server = await startHostile(t, { form });
      const { hub } = server;
      for (const userId of NAMES) {
        const heard = nextEvent(hub, 'connection');
        const client = await connect(server, { userId });
        assert.equal(JSON.parse(client.received[0]).userId, userId);
        assert.equal((await heard)[0].userId, userId);
        assert.equal((await client.join(1)).userId, userId);
        assert.equal(hub.getStats().totalUsersTracked, 1);
        assert.equal(hub.removeFromRoom(userId, 1), 1);
        assert.match(await client.next(), /ROOM_LEFT/);
        const gone = nextEvent(hub, 'disconnect');
        assert.equal(hub.disconnectUser(userId, 4000, userId), 1);
        assert.deepEqual(await client.closed, { code: 4000, reason: userId });
        const [{ userId: named }, code, reason] = await gone;
        assert.deepEqual({ named, code, reason }, { named: userId, code: 4000, reason: userId });
      }
      assert.deepEqual(prototypes(), untouched);
    });

    it('are rooms', async t => {
      const asked = [];
      const authorizeJoin = (_, roomId) => {
        asked.push(roomId);
        return true;
      };
      const server = await startHostile(t, { form, authorizeJoin, history: 8 });
      const { hub } = server;
      const client = await connect(server);
      for (const roomId of NAMES) {
        const heard = nextEvent(hub, 'join');
        const joined = await client.join(roomId);
        assert.equal(joined.roomId, roomId);
        assert.equal(joined.seq, 0);
        assert.equal((await heard)[1], roomId);
        assert.equal(asked.at(-1), roomId);
        assert.equal(hub.getRoomState(roomId), undefined);
        assert.equal(hub.broadcastRoomUpdate(roomId, roomId, 1, 2, 'join'), true);
        const update = await client.nextMessage();
        assert.equal(update.roomId, roomId);
        assert.equal(update.participantName, roomId);
        const { epoch, ...state } = hub.getRoomState(roomId);
        assert.equal(typeof epoch, 'string');
        const counts = { currentParticipants: 1, maxParticipants: 2, isFull: false };
        assert.deepEqual(state, { roomId, ...counts, availableSlots: 1, seq: 1 });
        assert.equal(hub.getClientCount(roomId), 1);
        const status = JSON.parse(await client.ask({ action: 'GET_ROOM_STATUS', roomId }));
        assert.deepEqual([status.roomId, status.connectedClients], [roomId, 1]);
      }
      assert.deepEqual(hub.getActiveRooms().sort(), [...NAMES].sort());
      assert.deepEqual(hub.getStats().activeRooms.sort(), [...NAMES].sort());
      const metrics = hub.metrics();
      assert.ok(!NAMES.some(name => metrics.includes(`"${name}"`)), metrics);
      for (const roomId of NAMES) {
        const left = nextEvent(hub, 'leave');
        assert.match(await client.ask({ action: 'LEAVE_ROOM', roomId }), /ROOM_LEFT/);
        assert.equal((await left)[1], roomId);
        assert.equal(hub.forgetRoom(roomId), true);
      }
      assert.equal(hub.getStats().roomsKnown, 0);
      assert.deepEqual(prototypes(), untouched);
    });

    it('are actions that nobody knows', async t => {
      const client = await connect(await startHostile(t, { form }));
      for (const action of NAMES) {
        const answer = `{"type":"ERROR","error":"Unknown action","action":"${action}"}`;
        assert.equal(await client.ask({ action }), answer);
      }
    });

    it('are fields that nobody asks for', async t => {
      const client = await connect(await startHostile(t, { form }), { userId: 'u' });
      for (const name of NAMES) {
        const extra = `"${name}":{"action":"PING","roomId":9,"userId":"admin","polluted":true}`;
        const joined = JSON.parse(
          await client.ask(`{${extra},"action":"JOIN_ROOM","roomId":1,${extra}}`),
        );
        assert.deepEqual([joined.type, joined.roomId, joined.userId], ['ROOM_JOINED', 1, 'u']);
        assert.equal({}.polluted, undefined);
      }
    });

    it('are epochs that never were', async t => {
      const client = await connect(await startHostile(t, { form }));
      for (const epoch of NAMES) {
        assert.equal((await client.join(1, { lastSeq: 0, epoch })).recovered, false);
      }
    });

    it('are headers and parameters that the hooks may look at', async t => {
      const requests = [];
      const authenticate = request => {
        requests.push(request);
        return 'u';
      };
      const server = await startHostile(t, { form, authenticate });
      const headers = {};
      for (const name of NAMES) {
        // Two of each: in another case it is the same header.
        Object.defineProperty(headers, name, { value: 'one', enumerable: true });
        headers[name.toUpperCase()] = 'two';
      }
      const target = `/ws/rooms?${NAMES.map(name => `${name}=1&${name}[${name}]=2`).join('&')}`;
      const raw = await openRaw(server);
      raw.write(upgradeRequest({ target, headers }));
      assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
      const [request] = requests;
      assert.equal(request.url, target);
      for (const name of NAMES) {
        assert.ok(request.rawHeaders.includes(name), name);
        const lower = name.toLowerCase();
        const own = Object.hasOwn(request.headers, lower) ? request.headers[lower] : undefined;
        // An object with a prototype, as Node's is, has no place for that one.
        if (name !== '__proto__' || own !== undefined) assert.equal(own, 'one, two', name);
      }
      assert.equal(Object.getPrototypeOf(request.headers)?.polluted, undefined);
      assert.ok([null, Object.prototype].includes(Object.getPrototypeOf(request.headers)));
      assert.deepEqual(prototypes(), untouched);
    });
  });
}
