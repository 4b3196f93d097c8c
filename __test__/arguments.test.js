'use strict';

// What the bot may pass to the RoomService methods, and what reaches a hub of it.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { closeCodeOf, closeReasonOf, delayOf, userIdOf } = require('../lib/arguments.js');
const { RoomService } = require('../lib/service.js');

/** A hub that keeps what it is told. */
function recorder(answer = true) {
  const calls = [];
  const record =
    name =>
    (...args) => {
      calls.push([name, ...args]);
      return answer;
    };
  return {
    calls,
    tellJoined: record('joined'),
    tellLeft: record('left'),
    broadcastStatus: record('status'),
    broadcastCount: record('count'),
    broadcastCustom: record('custom'),
  };
}

/** What a hub is told by one call of a service. */
function told(call) {
  const hub = recorder();
  assert.equal(call(new RoomService([hub])), true);
  assert.equal(hub.calls.length, 1);
  return hub.calls[0];
}

/** A service without hubs: arguments are checked all the same. */
const idle = new RoomService([]);

function throwsFor(call, pattern) {
  assert.throws(call, error => error instanceof TypeError && pattern.test(error.message));
}

describe('room ids', () => {
  const roomOf = roomId => told(service => service.broadcastParticipantCount(roomId, 1, 2))[1];

  it('are integers from 0 to 2^53-1, and strings', () => {
    for (const roomId of [0, 1, Number.MAX_SAFE_INTEGER, 'lobby', ' ', '💬'.repeat(32)]) {
      assert.equal(roomOf(roomId), roomId);
    }
  });

  it('are integers where the string is the decimal form of one', () => {
    assert.equal(roomOf('1'), 1);
    assert.equal(roomOf('0'), 0);
    assert.equal(roomOf('9007199254740991'), Number.MAX_SAFE_INTEGER);
    for (const text of ['01', '+1', '-1', '1.0', '1e3', '9007199254740992', '0x1', '1 ']) {
      assert.equal(roomOf(text), text);
    }
  });

  it('are nothing else', () => {
    const wrong = [-1, 1.5, Number.NaN, 2 ** 53, 1n, true, null, undefined, {}, [1], () => 1, ''];
    for (const roomId of [
      ...wrong,
      'a\nb',
      'a\u0085b',
      'x'.repeat(129),
      '💬'.repeat(33),
      'a\ud800',
    ]) {
      throwsFor(() => idle.broadcastParticipantCount(roomId, 1, 2), /^roomId must be .*, got /);
      throwsFor(() => idle.getClientCount(roomId), /^roomId must be /);
      throwsFor(() => idle.disconnectRoom(roomId), /^roomId must be /);
    }
  });

  it('are named with what they were', () => {
    throwsFor(() => idle.getClientCount(-1), /got a number \(-1\)$/);
    throwsFor(() => idle.getClientCount(1n), /got a bigint \(1n\)$/);
    throwsFor(() => idle.getClientCount(new Map()), /got an instance of Map$/);
    throwsFor(() => idle.getClientCount('x'.repeat(1000)), /got a string \('x{59}…\)$/);
  });
});

describe('counts', () => {
  it('are non-negative integers, or their decimal form', () => {
    const countsOf = (current, max) =>
      told(service => service.broadcastParticipantCount(1, current, max)).slice(2);
    assert.deepEqual(countsOf(0, 50), [0, 50]);
    assert.deepEqual(countsOf('25', '50'), [25, 50]);
    assert.deepEqual(countsOf(60, 50), [60, 50]);
  });

  it('are nothing else', () => {
    for (const count of [-1, 1.5, Number.NaN, '1.0', '01', '', ' 1', 'many', null, undefined, 1n]) {
      throwsFor(() => idle.broadcastParticipantCount(1, count, 2), /^current must be /);
      throwsFor(() => idle.broadcastParticipantCount(1, 1, count), /^max must be /);
      throwsFor(() => idle.broadcastRoomUpdate(1, 'A', count, 2, 'join'), /^currentCount must be /);
      throwsFor(() => idle.broadcastRoomUpdate(1, 'A', 1, count, 'join'), /^maxCount must be /);
      throwsFor(() => idle.notifyRoomStatusChange(1, 'FULL', count, 2), /^current must be /);
      throwsFor(() => idle.notifyParticipantJoin(1, 'A', 1, count), /^max must be /);
    }
  });
});

describe('names', () => {
  const nameOf = name => told(service => service.notifyParticipantJoin(1, name, 1, 2))[2];

  it('are User where the database has none', () => {
    assert.equal(nameOf(null), 'User');
    assert.equal(nameOf(undefined), 'User');
    assert.equal(nameOf(''), '');
  });

  it('are cut at a character where they are over 256 bytes', () => {
    assert.equal(nameOf('x'.repeat(256)), 'x'.repeat(256));
    assert.equal(nameOf('x'.repeat(257)), 'x'.repeat(256));
    assert.equal(nameOf('é'.repeat(200)), 'é'.repeat(128));
    assert.equal(nameOf(`x${'💬'.repeat(64)}`), `x${'💬'.repeat(63)}`);
  });

  it('have no lone surrogates', () => {
    assert.equal(nameOf('a\ud83db'), 'a\ufffdb');
  });

  it('are strings', () => {
    for (const name of [1, true, {}, []]) {
      throwsFor(() => idle.notifyParticipantLeave(1, name, 1, 2), /^name must be a string/);
    }
    throwsFor(() => idle.broadcastRoomUpdate(1, 5, 1, 2, 'join'), /^participantName must be /);
  });
});

describe('broadcastRoomUpdate', () => {
  it('takes a participant', () => {
    const call = type => told(service => service.broadcastRoomUpdate('1', 'Ann', 1, '2', type));
    assert.deepEqual(call('join'), ['joined', 1, 'Ann', 1, 2]);
    assert.deepEqual(call('leave'), ['left', 1, 'Ann', 1, 2]);
    assert.deepEqual(
      told(service => service.broadcastRoomUpdate(1, null, 1, 2, 'join')),
      ['joined', 1, 'User', 1, 2],
    );
  });

  it('knows joins and leaves only', () => {
    for (const type of ['JOIN', 'joined', '', null, undefined, true]) {
      throwsFor(
        () => idle.broadcastRoomUpdate(1, 'Ann', 1, 2, type),
        /^eventType must be 'join' or 'leave', got /,
      );
    }
  });

  it('says whether a hub has taken the update', () => {
    const call = hubs => new RoomService(hubs).broadcastRoomUpdate(1, 'Ann', 1, 2, 'join');
    assert.equal(call([]), false);
    assert.equal(call([recorder(false)]), false);
    const hubs = [recorder(true), recorder(false), recorder(true)];
    assert.equal(call(hubs), true);
    for (const { calls } of hubs) assert.equal(calls.length, 1);
  });
});

describe('custom updates', () => {
  const custom = update => told(service => service.broadcastRoomUpdate(1, update)).slice(2);

  it('have their event first and their fields in order', () => {
    assert.deepEqual(custom({ event: 'X' }), ['{"event":"X"}', undefined, undefined]);
    const [fields] = custom({ b: 1, 2: 'two', event: 'X', a: { deep: [null] }, gone: undefined });
    assert.equal(fields, '{"event":"X","2":"two","b":1,"a":{"deep":[null]}}');
    assert.equal(custom(Object.assign(Object.create(null), { event: 'X' }))[0], '{"event":"X"}');
  });

  it('carry counts where both are counts', () => {
    const counts = (currentParticipants, maxParticipants) =>
      custom({ event: 'X', currentParticipants, maxParticipants }).slice(1);
    assert.deepEqual(counts(1, 2), [1, 2]);
    assert.deepEqual(counts('1', '2'), [1, 2]);
    for (const other of [undefined, null, -1, 'many', {}]) {
      assert.deepEqual(counts(1, other), [undefined, undefined]);
      assert.deepEqual(counts(other, 2), [undefined, undefined]);
    }
  });

  it('have no lone surrogates', () => {
    const text = '\\ud800 \ud800 \\\ud800 💬 \\\\ \u0001';
    const [fields] = custom({ event: 'a\udfff', text, nested: ['\ud83d'] });
    assert.deepEqual(JSON.parse(fields), {
      event: 'a\ufffd',
      text: text.toWellFormed(),
      nested: ['\ufffd'],
    });
  });

  it('leave the hub its own fields', () => {
    for (const key of ['type', 'roomId', 'timestamp', 'seq', 'epoch']) {
      const update = { event: 'X', [key]: undefined };
      throwsFor(
        () => idle.broadcastRoomUpdate(1, update),
        new RegExp(`^update.${key} is reserved`),
      );
    }
  });

  it('have an event of 1 to 128 bytes', () => {
    for (const event of [undefined, null, '', 1, 'é'.repeat(65)]) {
      throwsFor(() => idle.broadcastRoomUpdate(1, { event }), /^update\.event must be /);
    }
    custom({ event: 'é'.repeat(64) });
  });

  it('are plain objects that can be written as JSON', () => {
    const circle = { event: 'X' };
    circle.circle = circle;
    for (const update of [circle, { event: 'X', big: 1n }]) {
      throwsFor(
        () => idle.broadcastRoomUpdate(1, update),
        /^update must be possible to write as JSON: /,
      );
    }
    throwsFor(() => idle.broadcastRoomUpdate(1, { event: 'X', toJSON: () => 1 }), /toJSON/);
    for (const update of [[], new Map(), new (class Room {})()]) {
      throwsFor(
        () => idle.broadcastRoomUpdate(1, update),
        /^update must be a plain object .*, got an /,
      );
    }
  });

  it('are at most 64 KiB', () => {
    const frame = '{"event":"X","text":""}'.length;
    custom({ event: 'X', text: 'x'.repeat(65_536 - frame) });
    const update = { event: 'X', text: 'é'.repeat(32_768) };
    throwsFor(() => idle.broadcastRoomUpdate(1, update), /64 KiB as JSON, got 65559 bytes$/);
  });
});

it('statuses are FULL, AVAILABLE and OFFLINE', () => {
  for (const status of ['FULL', 'AVAILABLE', 'OFFLINE']) {
    assert.deepEqual(
      told(service => service.notifyRoomStatusChange(1, status, 1, 2)),
      ['status', 1, status, 1, 2],
    );
  }
  for (const status of ['full', 'CLOSED', undefined, 1]) {
    throwsFor(() => idle.notifyRoomStatusChange(1, status, 1, 2), /^status must be 'FULL', /);
  }
});

it('user ids are strings of 1 to 128 bytes and safe integers', () => {
  assert.equal(userIdOf('ann'), 'ann');
  assert.equal(userIdOf(-5), '-5');
  for (const userId of ['', 'é'.repeat(65), 1.5, 2 ** 53, null, undefined, {}, 1n]) {
    throwsFor(
      () => userIdOf(userId),
      /^userId must be a string of 1 to 128 bytes or a safe integer/,
    );
  }
});

it('close codes are those that may be sent', () => {
  for (const code of [undefined, 1000, 1003, 1007, 1014, 3000, 4999]) {
    assert.equal(closeCodeOf(code), code);
  }
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, '1000', null]) {
    throwsFor(() => closeCodeOf(code), /^code must be 1000 to 1003, /);
  }
});

it('close reasons are at most 123 bytes', () => {
  assert.equal(closeReasonOf(undefined), undefined);
  assert.equal(closeReasonOf('é'.repeat(61)), 'é'.repeat(61));
  for (const reason of ['x'.repeat(124), 'é'.repeat(62), 1, null]) {
    throwsFor(() => closeReasonOf(reason), /^reason must be a string of at most 123 bytes/);
  }
});

it('delays are integers of milliseconds', () => {
  assert.equal(delayOf('graceMs', 0), 0);
  for (const delay of [-1, 0.5, '1', null, 2 ** 31, Number.POSITIVE_INFINITY]) {
    throwsFor(() => delayOf('graceMs', delay), /^graceMs must be an integer from 0 to 2147483647/);
  }
});

describe('several hubs', () => {
  const stats = (rooms, uptimeSeconds) => ({
    totalRoomsWithClients: rooms.length,
    totalConnections: 3,
    totalUsersTracked: 2,
    activeRooms: rooms,
    openConnections: 4,
    roomsKnown: 5,
    bufferedBytes: 6,
    updatesTotal: 7,
    deliveriesTotal: 8,
    conflatedTotal: 9,
    slowClients: 1,
    uptimeSeconds,
    perThread: [{ connections: 4, backlog: uptimeSeconds }],
  });
  const hub = (rooms, users, uptime) => ({
    activeRooms: () => rooms,
    clientCount: () => rooms.length,
    disconnectRoom: () => 1,
    stats: () => stats(rooms, uptime),
    userRooms: () => users,
  });
  const both = new RoomService([
    hub([1, 'lobby'], ['ann', 'bob'], 10),
    hub(['lobby', 2], ['bob', 'eve'], 5),
  ]);

  it('unite lists and add counts up', () => {
    assert.deepEqual(both.getActiveRooms(), [1, 'lobby', 2]);
    assert.equal(both.getClientCount(1), 4);
    assert.equal(both.disconnectRoom(1), 2);
    assert.deepEqual(both.getStats(), {
      totalRoomsWithClients: 3,
      totalConnections: 6,
      totalUsersTracked: 3,
      activeRooms: [1, 'lobby', 2],
      openConnections: 8,
      roomsKnown: 10,
      bufferedBytes: 12,
      updatesTotal: 14,
      deliveriesTotal: 16,
      conflatedTotal: 18,
      slowClients: 2,
      uptimeSeconds: 10,
      perThread: [
        { connections: 4, backlog: 10 },
        { connections: 4, backlog: 5 },
      ],
    });
  });

  it('may be none', () => {
    assert.deepEqual(idle.getActiveRooms(), []);
    assert.equal(idle.getClientCount(1), 0);
    assert.equal(idle.disconnectRoom(1), 0);
    const { activeRooms, perThread, ...totals } = idle.getStats();
    assert.deepEqual([activeRooms, perThread], [[], []]);
    assert.deepEqual(new Set(Object.values(totals)), new Set([0]));
  });
});
