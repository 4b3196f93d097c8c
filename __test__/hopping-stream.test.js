'use strict';

// The judge of a client that comes back again and again: what is right passes, each fault is seen.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { HoppingStream } = require('./support/hopping-stream');

const HISTORY = 8;

const update = (stream, seq, fields = {}) =>
  stream.update(
    { event: 'USER_JOINED', seq, currentParticipants: seq, ...fields },
    `update ${seq}`,
  );

const snapshot = (stream, seq, epoch = 'a') =>
  update(stream, seq, { event: 'PARTICIPANT_COUNT_UPDATED', epoch });

/** A stream whose client has seen updates 1 to 3, and has gone. */
function gone() {
  const stream = new HoppingStream(HISTORY);
  stream.joined({ seq: 0, epoch: 'local' });
  update(stream, 1, { epoch: 'a' });
  for (const seq of [2, 3]) update(stream, seq);
  stream.gone();
  return stream;
}

describe('a stream without fault', () => {
  it('goes on where it was', () => {
    const stream = gone();
    assert.deepEqual(stream.place, { lastSeq: 3, epoch: 'a' });
    stream.joined({ seq: 3, epoch: 'a', recovered: true });
    for (const seq of [4, 5]) update(stream, seq);
    assert.deepEqual([stream.recovered, stream.anew, stream.seen.size], [1, 0, 5]);
  });

  it('begins anew with a snapshot where too much was missed', () => {
    const stream = gone();
    const seq = 3 + HISTORY + 1;
    stream.joined({ seq, epoch: 'a', recovered: false });
    snapshot(stream, seq);
    update(stream, seq + 1);
    assert.deepEqual([stream.recovered, stream.anew], [0, 1]);
    assert.deepEqual(stream.snapshots, [{ seq, current: seq }]);
  });

  it('may end at any moment', () => {
    const stream = gone();
    stream.joined({ seq: 3 + HISTORY + 1, epoch: 'a', recovered: false });
    stream.gone();
    stream.joined({ seq: 3 + HISTORY + 1, epoch: 'a', recovered: true });
  });
});

const sees = (title, start, act) =>
  it(title, () => {
    const stream = start();
    assert.throws(() => act(stream), assert.AssertionError);
  });

describe('a fault of an update that is seen', () => {
  /** The same client, back. */
  function back() {
    const stream = gone();
    stream.joined({ seq: 3, epoch: 'a', recovered: true });
    return stream;
  }

  sees('is a gap', back, stream => update(stream, 5));
  sees('is a repetition', back, stream => update(stream, 3));
  sees('is an epoch in between', back, stream => update(stream, 4, { epoch: 'b' }));
  sees('is a snapshot that nobody waits for', back, stream => snapshot(stream, 3));
});

describe('a fault of a join that is seen', () => {
  const sends = (title, joined, follow = () => {}) =>
    sees(title, gone, stream => {
      stream.joined({ epoch: 'a', ...joined });
      follow(stream);
    });

  sends('is no recovery of what is held', { seq: 3 + HISTORY, recovered: false });
  sends('is a recovery to another place', { seq: 4, recovered: true });
  sends('is one that does not say', { seq: 3 });
  sends('is an epoch that was lost', { seq: 0, epoch: 'b', recovered: false });
  sends('is no snapshot', { seq: 20, recovered: false }, stream => update(stream, 21));
  sends('is a snapshot of another seq', { seq: 20, recovered: false }, stream =>
    snapshot(stream, 21),
  );
});
