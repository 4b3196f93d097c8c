'use strict';

// The judge of the cluster's tests: what the protocol allows passes, and what it rules out is a fault.

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const { describe, it } = require('node:test');
const { Witness } = require('./support/witness');

const ROOM = 1;

/** A witness that has joined at seq 2 of the epoch `a`, and has then been sent these messages. */
function seeing(...messages) {
  const client = { ws: new EventEmitter() };
  const witness = new Witness(client, ROOM);
  const joined = { type: 'ROOM_JOINED', seq: 2, epoch: 'a' };
  for (const message of [joined, ...messages]) {
    client.ws.emit('message', Buffer.from(JSON.stringify({ roomId: ROOM, ...message })));
  }
  return witness;
}

const update = (seq, name, fields) => ({
  type: 'ROOM_UPDATE',
  event: 'USER_JOINED',
  participantName: name,
  currentParticipants: seq,
  seq,
  ...fields,
});

const snapshot = (seq, epoch) => ({
  type: 'ROOM_UPDATE',
  event: 'PARTICIPANT_COUNT_UPDATED',
  currentParticipants: seq,
  seq,
  epoch,
});

describe('a witness finds no fault', () => {
  for (const [what, messages, stand] of [
    ['in updates that go on by one', [update(3, 'x'), update(4, 'y')], ['a', 4]],
    ['in a snapshot that skips some', [snapshot(9, 'a'), update(10, 'x')], ['a', 10]],
    ['in the snapshot of a join', [snapshot(2, 'a'), update(3, 'x')], ['a', 3]],
    ['in a local epoch', [update(1, 'x', { epoch: 'l' }), update(2, 'y')], ['l', 2]],
    [
      'in the way back to where it was',
      [update(1, 'x', { epoch: 'l' }), snapshot(2, 'a'), update(3, 'y')],
      ['a', 3],
    ],
    [
      'in states that hubs have given to Redis',
      [
        snapshot(1, 'b'),
        { ...snapshot(2), epoch: undefined },
        { ...snapshot(3), epoch: undefined },
      ],
      ['b', 3],
    ],
    ['in what another room is sent', [{ ...update(9, 'x'), roomId: 2 }], ['a', 2]],
  ]) {
    it(what, () => {
      const { faults, repeated, epoch, seq } = seeing(...messages);
      assert.deepEqual([faults, repeated], [[], []]);
      assert.deepEqual([epoch, seq], stand);
    });
  }
});

describe('a witness finds the fault', () => {
  for (const [what, messages] of [
    ['of a gap', [update(4, 'x')]],
    ['of a seq that comes twice', [update(3, 'x'), update(3, 'y')]],
    ['of an update that comes twice', [update(3, 'x'), update(4, 'x')]],
    ['of a new epoch that nobody told', [update(1, 'x')]],
    ['of an epoch that is told and no news', [update(3, 'x', { epoch: 'a' })]],
    ['of a snapshot that goes back', [update(3, 'x'), snapshot(2, 'a')]],
    [
      'of numbers that are used again later',
      [update(3, 'x'), snapshot(1, 'l'), update(3, 'y', { epoch: 'a' })],
    ],
  ]) {
    it(what, () => {
      assert.equal(seeing(...messages).faults.length, 1);
    });
  }

  it('of an update that comes again in another epoch', () => {
    const { faults, repeated } = seeing(update(3, 'x'), update(1, 'x', { epoch: 'l' }));
    assert.deepEqual([faults, repeated], [[], ['x']]);
  });
});
