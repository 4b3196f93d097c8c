'use strict';

// Bad arguments throw a TypeError that names the argument, also where no hub is open; what
// databases hand over is not bad.

const assert = require('node:assert/strict');
const { after, before, describe, it } = require('node:test');
const {
  broadcastRoomUpdate,
  roomWebSocketService,
  sessionAuthenticator,
  setupRoomWebSocketServer,
} = require('..');
const { connect } = require('./support/client');
const { createServer, listen, startServer } = require('./support/server');

/** It throws a TypeError whose message names the argument. */
function assertRefused(call, name, what) {
  assert.throws(call, error => {
    assert.ok(error instanceof TypeError, `${what}: ${error?.stack ?? error}`);
    assert.ok(error.message.includes(name), `${what}: '${error.message}' does not name ${name}`);
    return true;
  });
}

const NO_ROOM_ID = {
  ...{ undefined: undefined, null: null, true: true, 'an object': {}, 'an array': [1] },
  ...{
    'a negative number': -1,
    'a float': 1.5,
    NaN: Number.NaN,
    infinity: Number.POSITIVE_INFINITY,
  },
  ...{
    'an unsafe integer': 2 ** 53,
    'a bigint': 1n,
    'a symbol': Symbol('x'),
    'a function': () => 1,
  },
  ...{ 'an empty string': '', '129 bytes': 'x'.repeat(129), '130 bytes': 'é'.repeat(65) },
  ...{ 'a control character': 'a\nb', 'a DEL': 'a\u007f' },
};

const NO_COUNT = {
  ...{ undefined: undefined, null: null, true: true, 'an object': {}, 'an array': [1] },
  ...{
    'a negative number': -1,
    'a float': 1.5,
    NaN: Number.NaN,
    infinity: Number.POSITIVE_INFINITY,
  },
  ...{ 'a bigint': 1n, 'a symbol': Symbol('x'), 'an unsafe integer': 2 ** 53 },
  ...{ 'an empty string': '', 'a word': 'many', 'a float string': '1.5', 'a hex string': '0x1' },
  ...{
    'a leading zero': '01',
    'a plus': '+1',
    'a minus': '-1',
    'a space': ' 1',
    'an exponent': '1e3',
  },
};

const NO_NAME = {
  'a number': 1,
  true: true,
  'an object': {},
  'an array': ['A'],
  'a symbol': Symbol('x'),
};
const NO_WORD = {
  undefined: undefined,
  null: null,
  'a number': 1,
  'another word': 'JOIN',
  empty: '',
  'an object': {},
};
const NO_UPDATE = {
  'no event': { name: 'x' },
  'an event that is no string': { event: 1 },
  'an empty event': { event: '' },
  'a reserved type': { event: 'X', type: 'Y' },
  'a reserved roomId': { event: 'X', roomId: 1 },
  'a reserved timestamp': { event: 'X', timestamp: 1 },
  'a reserved seq': { event: 'X', seq: 1 },
  'a reserved epoch': { event: 'X', epoch: 'e' },
  'more than 64 KiB': { event: 'X', pad: 'x'.repeat(64 * 1024) },
  'an array': [],
  'a cycle': (() => {
    const update = { event: 'X' };
    update.self = update;
    return update;
  })(),
  'a bigint in it': { event: 'X', big: 1n },
};

/**
 * For each function of RoomService: its good arguments, and for each of those its name and what it
 * may not be.
 */
const FUNCTIONS = {
  broadcastRoomUpdate: [
    ['roomId', 1, NO_ROOM_ID],
    ['participantName', 'A', NO_NAME],
    ['currentCount', 1, NO_COUNT],
    ['maxCount', 2, NO_COUNT],
    ['eventType', 'join', NO_WORD],
  ],
  notifyParticipantJoin: [
    ['roomId', 1, NO_ROOM_ID],
    ['name', 'A', NO_NAME],
    ['current', 1, NO_COUNT],
    ['max', 2, NO_COUNT],
  ],
  notifyParticipantLeave: [
    ['roomId', 1, NO_ROOM_ID],
    ['name', 'A', NO_NAME],
    ['current', 1, NO_COUNT],
    ['max', 2, NO_COUNT],
  ],
  notifyRoomStatusChange: [
    ['roomId', 1, NO_ROOM_ID],
    ['status', 'FULL', { ...NO_WORD, 'small letters': 'full' }],
    ['current', 1, NO_COUNT],
    ['max', 2, NO_COUNT],
  ],
  broadcastParticipantCount: [
    ['roomId', 1, NO_ROOM_ID],
    ['current', 1, NO_COUNT],
    ['max', 2, NO_COUNT],
  ],
  getClientCount: [['roomId', 1, NO_ROOM_ID]],
  disconnectRoom: [['roomId', 1, NO_ROOM_ID]],
};

const HUB_FUNCTIONS = {
  getRoomState: [['roomId', 1, NO_ROOM_ID]],
  forgetRoom: [['roomId', 1, NO_ROOM_ID]],
  disconnectUser: [
    [
      'userId',
      'u',
      { undefined: undefined, null: null, empty: '', 'an object': {}, long: 'x'.repeat(129) },
    ],
    [
      'code',
      4000,
      {
        'a string': '1000',
        999: 999,
        1005: 1005,
        1006: 1006,
        1015: 1015,
        5000: 5000,
        float: 4000.5,
      },
    ],
    ['reason', 'x', { 'a number': 1, 'an object': {}, '124 bytes': 'x'.repeat(124) }],
  ],
  removeFromRoom: [
    ['userId', 'u', { undefined: undefined, null: null, empty: '', 'an object': {} }],
    ['roomId', 1, NO_ROOM_ID],
  ],
};

/** Calls with one bad argument at a time. */
function refusesAll(target, functions) {
  for (const [method, parameters] of Object.entries(functions)) {
    const good = parameters.map(([, value]) => value);
    for (const [place, [name, , bad]] of parameters.entries()) {
      for (const [what, value] of Object.entries(bad)) {
        // An object in second place is the other form of the call, whose own faults are tested
        // below.
        if (method === 'broadcastRoomUpdate' && place === 1 && typeof value === 'object') continue;
        const args = good.with(place, value);
        assertRefused(() => target()[method](...args), name, `${method}: ${name} is ${what}`);
      }
    }
  }
}

describe('bad arguments', () => {
  let hub;
  let server;
  before(async () => {
    server = createServer('http');
    hub = setupRoomWebSocketServer(server, { logger: false });
    await listen(server);
  });
  after(() => new Promise(resolve => server.close(resolve)));

  it('of broadcastRoomUpdate name the argument', () => {
    const { broadcastRoomUpdate: parameters } = FUNCTIONS;
    refusesAll(() => ({ broadcastRoomUpdate }), { broadcastRoomUpdate: parameters });
  });

  it('of RoomService name the argument', () => refusesAll(() => roomWebSocketService, FUNCTIONS));

  it('of a hub name the argument', () => refusesAll(() => hub, { ...FUNCTIONS, ...HUB_FUNCTIONS }));

  it('of getClusterClientCount name the argument, thrown or rejected', async () => {
    for (const value of Object.values(NO_ROOM_ID)) {
      await assert.rejects(async () => hub.getClusterClientCount(value), {
        name: 'TypeError',
        message: /roomId/,
      });
    }
  });

  it('of an update of the bot name what is wrong', () => {
    for (const [what, update] of Object.entries(NO_UPDATE)) {
      for (const target of [roomWebSocketService, hub]) {
        assertRefused(() => target.broadcastRoomUpdate(1, update), 'update', what);
      }
      const reserved = /^a reserved (\w+)$/.exec(what)?.[1];
      if (reserved) assertRefused(() => hub.broadcastRoomUpdate(1, update), reserved, what);
    }
  });

  it('of close name the argument, thrown or rejected', async () => {
    for (const options of [{ graceMs: -1 }, { graceMs: '1' }, { graceMs: Number.NaN }]) {
      await assert.rejects(async () => hub.close(options), {
        name: 'TypeError',
        message: /graceMs/,
      });
    }
    for (const options of [
      { spreadMs: -1 },
      { spreadMs: {} },
      { spreadMs: Number.POSITIVE_INFINITY },
    ]) {
      await assert.rejects(async () => hub.close(options), {
        name: 'TypeError',
        message: /spreadMs/,
      });
    }
    assert.equal(hub.broadcastParticipantCount(1, 1, 2), true, 'it was closed');
  });

  it('of attach and handleUpgrade are a TypeError', () => {
    for (const value of [undefined, null, 1, 'http', {}, [], () => {}]) {
      assert.throws(() => hub.attach(value), TypeError);
      assert.throws(() => hub.handleUpgrade(value, value, value), TypeError);
    }
  });

  it('of sessionAuthenticator name the option', () => {
    const good = { cookieName: 'sid', secret: 's', loadSession: () => null };
    sessionAuthenticator(good);
    const bad = {
      cookieName: [undefined, '', 1],
      secret: [undefined, '', 1, [], [''], ['s', 1]],
      loadSession: [undefined, {}, 'f'],
      userFrom: [1, 'f', {}],
      unheardOf: [1],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        assertRefused(() => sessionAuthenticator({ ...good, [name]: value }), name, name);
      }
    }
    for (const value of [undefined, null, 1])
      assert.throws(() => sessionAuthenticator(value), TypeError);
  });

  it('leave everything as it was', async t => {
    const started = await startServer(t);
    const client = await connect(started);
    const { seq } = await client.join(1);
    refusesAll(() => started.hub, FUNCTIONS);
    for (const update of Object.values(NO_UPDATE)) {
      assert.throws(() => started.hub.broadcastRoomUpdate(1, update), TypeError);
    }
    const touchy = {
      event: 'X',
      get name() {
        throw new Error('touched');
      },
    };
    assert.throws(() => started.hub.broadcastRoomUpdate(1, touchy));
    started.hub.broadcastRoomUpdate(1, { event: 'FINE' });
    assert.equal((await client.nextMessage()).seq, seq + 1);
  });
});

describe('arguments without an open hub', () => {
  it('are checked all the same', () => {
    assertRefused(() => broadcastRoomUpdate(-1, 'A', 1, 2, 'join'), 'roomId', 'no hub');
    assertRefused(() => roomWebSocketService.broadcastParticipantCount(1, 1, 'x'), 'max', 'no hub');
  });
});

describe('what databases hand over', () => {
  it('is taken: counts as decimal strings, no name, a long name', async t => {
    const server = await startServer(t);
    const client = await connect(server);
    await client.join(1);
    assert.equal(broadcastRoomUpdate('1', undefined, '3', '10', 'join'), true);
    assert.equal(broadcastRoomUpdate(1, null, '0', 10, 'leave'), true);
    assert.equal(broadcastRoomUpdate(1, 'é'.repeat(200), 1, 10, 'join'), true);
    assert.equal(broadcastRoomUpdate(1, `${'x'.repeat(255)}🎉`, 1, 10, 'join'), true);
    assert.equal(broadcastRoomUpdate(1, 'a\ud800b', 1, 10, 'join'), true);
    const names = [];
    const updates = (await client.take(5)).map(text => JSON.parse(text));
    for (const { participantName } of updates) names.push(participantName);
    assert.deepEqual(names, ['User', 'User', 'é'.repeat(128), 'x'.repeat(255), 'a\ufffdb']);
    assert.equal(updates[0].currentParticipants, 3);
    assert.equal(updates[0].maxParticipants, 10);
    assert.equal(updates[1].currentParticipants, 0);
  });

  it('is taken up to the limits', async t => {
    const { hub } = await startServer(t);
    assert.equal(
      hub.broadcastParticipantCount('x'.repeat(128), 2 ** 53 - 1, '9007199254740991'),
      true,
    );
    assert.equal(hub.getRoomState('x'.repeat(128)).currentParticipants, 2 ** 53 - 1);
    const frame = JSON.stringify({ event: 'X', pad: '' }).length;
    assert.equal(hub.broadcastRoomUpdate(1, { event: 'X', pad: 'x'.repeat(60_000 - frame) }), true);
  });
});
