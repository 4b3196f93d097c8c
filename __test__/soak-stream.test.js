'use strict';

// The soak's judge of one client's stream: what it has to see, it sees, and it sees nothing else.

const assert = require('node:assert/strict');
const { before, describe, it } = require('node:test');

const ROOM = 1;
const HISTORY = 64;

let judge;
before(async () => {
  const [{ Ledger, RoomStream }, { Tally }] = await Promise.all([
    import('../soak/crowd/stream.mjs'),
    import('../soak/tally.mjs'),
  ]);
  judge = () => {
    const tally = new Tally();
    const world = { history: HISTORY, ledger: new Ledger(), tally };
    return { tally, stream: new RoomStream(ROOM, world), world, RoomStream };
  };
});

/** An update as the bot of the soak sends it: the number is in its counts. */
const update = (seq, number, fields = {}) => ({
  type: 'ROOM_UPDATE',
  roomId: ROOM,
  event: 'USER_JOINED',
  currentParticipants: number,
  maxParticipants: number + 10,
  seq,
  ...fields,
});

const snapshot = (seq, number, epoch = 'a') =>
  update(seq, number, { event: 'PARTICIPANT_COUNT_UPDATED', epoch });

const joined = (seq, fields = {}) => ({
  type: 'ROOM_JOINED',
  roomId: ROOM,
  seq,
  epoch: 'a',
  ...fields,
});

/** A member that has got updates 11 to 13, which are the room's 1 to 3 of epoch `a`. */
function member() {
  const all = judge();
  all.stream.joined(joined(0), {}, false);
  for (const seq of [1, 2, 3]) all.stream.update(update(seq, 10 + seq), false);
  return all;
}

const faults = ({ wrong }) => Object.keys(wrong);
const at = (number, seq, epoch = 'a') => ({ number, seq, epoch });

describe('a stream without fault', () => {
  it('goes on by one', () => {
    const { stream, tally } = member();
    stream.settle(at(13, 3));
    assert.deepEqual([faults(tally), tally.missing, tally.delivered], [[], 0, 3]);
  });

  it('goes on behind a join that recovered it', () => {
    const { stream, tally } = member();
    stream.left();
    stream.joined(joined(3, { recovered: true }), { lastSeq: 3, epoch: 'a' }, false);
    for (const seq of [4, 5]) stream.update(update(seq, 10 + seq), false);
    stream.settle(at(15, 5));
    assert.deepEqual([faults(tally), tally.missing, tally.recovered], [[], 0, 1]);
  });

  it('begins anew where too much was missed, with a snapshot', () => {
    const { stream, tally } = member();
    stream.left();
    const seq = 3 + HISTORY + 1;
    stream.joined(joined(seq, { recovered: false }), { lastSeq: 3, epoch: 'a' }, false);
    stream.update(snapshot(seq, 10 + seq), false);
    stream.update(update(seq + 1, 10 + seq + 1), false);
    assert.deepEqual([faults(tally), tally.missing, tally.beyondRecovery], [[], 0, 1]);
  });

  it('is answered again where it joins again', () => {
    const { stream, tally } = member();
    stream.joined(joined(3), {}, false);
    stream.update(snapshot(3, 13), false);
    stream.update(
      update(4, 14, { event: 'NEWS', currentParticipants: undefined, number: 14 }),
      false,
    );
    stream.settle(at(14, 4));
    assert.deepEqual([faults(tally), tally.missing], [[], 0]);
  });

  it('goes over to a new epoch by its first update', () => {
    const { stream, tally } = member();
    stream.update(update(1, 14, { epoch: 'b' }), false);
    stream.update(update(2, 15), false);
    stream.settle(at(15, 2, 'b'));
    assert.deepEqual([faults(tally), tally.missing], [[], 0]);
  });

  it('has gaps where its client had stopped reading', () => {
    const { stream, tally } = member();
    stream.update(update(9, 19), true);
    stream.update(update(2, 26, { epoch: 'b' }), true);
    assert.deepEqual([faults(tally), tally.missing, tally.conflated], [[], 0, 5 + 6]);
  });
});

describe('a fault that is seen', () => {
  const seen = (title, count, fault, act) =>
    it(title, () => {
      const all = member();
      act(all.stream, all);
      assert.equal(all.tally.missing, count);
      assert.deepEqual(faults(all.tally), [fault]);
    });

  seen('is a gap', 2, 'a gap', stream => stream.update(update(6, 16), false));
  seen('is a loss at the end of an epoch', 1, 'a gap', stream =>
    stream.update(update(1, 15, { epoch: 'b' }), false),
  );
  seen('is a loss before a join is answered again', 1, 'a gap', stream =>
    stream.joined(joined(4), {}, false),
  );
  seen('is a loss at the very end', 2, 'a gap', stream => stream.settle(at(15, 5)));
  seen('is a room that is not joined at the end', 1, 'a gap', stream => {
    stream.left();
    stream.settle(at(13, 3));
  });
  seen('is a repetition', 0, 'an update twice', stream => stream.update(update(3, 13), false));
  seen('is a step back', 0, 'an update twice', stream => stream.update(update(2, 12), true));
  seen('is an update behind a leave', 0, 'an update of a room that was left', stream => {
    stream.left();
    stream.update(update(4, 14), false);
  });
  seen('is a wrong seq', 0, 'another number for the same seq', stream => {
    stream.update(update(6, 15), true);
  });
  seen('is a recovery that was not asked for', 0, 'recovered is there or not', stream => {
    stream.left();
    stream.joined(joined(3, { recovered: false }), {}, false);
  });
  seen('is a recovery to another place', 0, 'recovered to another place', stream => {
    stream.left();
    stream.joined(joined(4, { recovered: true }), { lastSeq: 3, epoch: 'a' }, false);
  });
  seen('is no recovery of what is held', 0, 'not recovered, though held', stream => {
    stream.left();
    const request = { lastSeq: 3, epoch: 'a' };
    stream.joined(joined(3 + HISTORY, { recovered: false }), request, false);
  });
  seen('is a join without a snapshot', 0, 'no snapshot', stream => {
    stream.left();
    stream.joined(joined(3), {}, false);
    stream.update(update(4, 14), false);
  });
  seen('is a snapshot with old counts', 0, 'a snapshot with old counts', stream => {
    stream.left();
    stream.joined(joined(3), {}, false);
    stream.update(snapshot(3, 12), false);
  });
  seen('is a snapshot of news, which has no counts', 0, 'a snapshot with old counts', (_, all) => {
    // The 14th is news: the state is that of the 13th.
    const other = new all.RoomStream(ROOM, all.world);
    other.joined(joined(4), {}, false);
    other.update(snapshot(4, 14), false);
  });
  seen('is counts that do not belong together', 0, 'an update with wrong counts', stream =>
    stream.update(update(4, 14, { maxParticipants: 14 }), false),
  );
});
