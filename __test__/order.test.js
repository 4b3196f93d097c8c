'use strict';

// The order of a room's updates: that of the calls, the same for every member, without gap and
// without repeat from its ROOM_JOINED to its ROOM_LEFT, however members come and go.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect } = require('./support/client');
const { startServer } = require('./support/server');
const { until } = require('./support/wait');

const ROOM = 'busy';

/**
 * Nothing here is about limits: a client that is read late is not slow, and one that joins often
 * not rude.
 */
const GENEROUS = {
  maxBufferedBytes: 64 * 1024 * 1024,
  slowTimeout: 600_000,
  messageRate: 100_000,
  messageBurst: 100_000,
};

/** Lets sockets be served in between, as a bot's own events would. */
const breathe = () => new Promise(resolve => setImmediate(resolve));

/** The call of that number, each of them another kind of update that carries the number. */
function broadcast(hub, number) {
  const kinds = [
    () => hub.broadcastRoomUpdate(ROOM, `n${number}`, number % 50, 100, 'join'),
    () => hub.notifyParticipantLeave(ROOM, `n${number}`, number % 50, 100),
    () => hub.broadcastRoomUpdate(ROOM, { event: 'NUMBERED', number }),
    () => hub.broadcastParticipantCount(ROOM, number, 1_000_000),
  ];
  assert.equal(kinds[number % kinds.length](), true);
}

/** The number of the call that an update came from. */
function numberOf(update) {
  if (update.event === 'NUMBERED') return update.number;
  if (update.event === 'PARTICIPANT_COUNT_UPDATED') return update.currentParticipants;
  return Number(update.participantName.slice(1));
}

/** Sorts one client's messages into stays: what lies between a ROOM_JOINED and its ROOM_LEFT. */
function stays(texts) {
  const found = [];
  let current;
  for (const text of texts) {
    const message = JSON.parse(text);
    if (message.type === 'ROOM_JOINED') {
      assert.equal(current, undefined, 'joined while in the room');
      current = {
        seq: message.seq,
        epoch: message.epoch,
        recovered: message.recovered,
        updates: [],
        ended: false,
      };
      found.push(current);
    } else if (message.type === 'ROOM_LEFT') {
      current.ended = true;
      current = undefined;
    } else if (message.type === 'ROOM_UPDATE') {
      assert.ok(current, `an update outside of the room: ${text}`);
      const isSnapshot =
        message.event === 'PARTICIPANT_COUNT_UPDATED' && message.epoch !== undefined;
      if (isSnapshot) {
        assert.equal(current.updates.length, 0, 'a snapshot after updates');
        assert.equal(message.seq, current.seq);
      } else {
        current.updates.push(message);
      }
    } else {
      assert.equal(message.type, 'CONNECTION_ESTABLISHED', text);
    }
  }
  return found;
}

/**
 * Every update of a stay is the next of the counter, and is that of the call which the counter
 * counted.
 */
function assertWhole(stay, offset) {
  let { seq } = stay;
  for (const update of stay.updates) {
    seq += 1;
    assert.equal(update.seq, seq, 'a gap or a repeat');
    assert.equal(numberOf(update), seq - offset, 'not in the order of the calls');
  }
  return seq;
}

/**
 * With 50 and a move at every fifth update; and with more on one thread than it serves in one go.
 */
const CROWD = { clients: 50, every: 5 };
const LARGE_CROWD = { clients: 300, every: 1, threads: 1, updates: 2_000 };

for (const { form, crowds } of [
  { form: 'http', crowds: [{ ...CROWD, updates: 10_000 }, LARGE_CROWD] },
  { form: 'https', crowds: [{ ...CROWD, updates: 2_000 }] },
  { form: 'standalone', crowds: [{ ...CROWD, updates: 10_000 }, LARGE_CROWD] },
]) {
  describe(`order, ${form}`, () => {
    for (const { clients: size, updates, every, threads } of crowds) {
      it(`holds for ${size} clients that join and leave while ${updates} updates run`, async t => {
        const server = await startServer(t, { form, threads, ...GENEROUS });
        const clients = [];
        for (let n = 0; n < size; n += 1) clients.push(await connect(server, { userId: `u${n}` }));
        // Two look on from the first update to the last.
        const watchers = clients.slice(0, 2);
        const first = await watchers[0].join(ROOM);
        await watchers[1].join(ROOM);
        const offset = first.seq + 1;

        const inside = new Set();
        for (let number = 0; number < updates; number += 1) {
          broadcast(server.hub, number);
          if (number % every === 0) {
            const index = 2 + ((number / every) % (size - 2));
            const action = inside.has(index) ? 'LEAVE_ROOM' : 'JOIN_ROOM';
            if (!inside.delete(index)) inside.add(index);
            clients[index].send({ action, roomId: ROOM });
          }
          if (number % 10 === 0) await breathe();
        }
        for (const index of inside) clients[index].send({ action: 'LEAVE_ROOM', roomId: ROOM });
        for (const client of clients.slice(2)) await client.settle();
        const seqOf = text => /"seq":(\d+)\}$/.exec(text)?.[1];
        for (const watcher of watchers) {
          const last = String(first.seq + updates);
          await until(
            () => seqOf(watcher.received.at(-1)) === last,
            () => watcher.received.at(-1),
          );
        }

        for (const watcher of watchers) {
          const [stay] = stays(watcher.received);
          assert.equal(stay.updates.length, updates);
          assert.equal(assertWhole(stay, offset), first.seq + updates);
        }
        let delivered = 0;
        for (const client of clients.slice(2)) {
          const own = stays(client.received.slice(0, -1));
          assert.ok(own.length > 1);
          for (const stay of own) {
            assert.equal(stay.ended, true);
            assertWhole(stay, offset);
            delivered += stay.updates.length;
          }
        }
        assert.ok(
          delivered > updates,
          `only ${delivered} updates were seen by those who came and went`,
        );
      });
    }

    it('holds across connections that end and come back with what they saw last', async t => {
      const server = await startServer(t, { form, ...GENEROUS, history: 10_000 });
      let running = true;
      let called = 0;
      const watcher = await connect(server, { userId: 'watcher' });
      const first = await watcher.join(ROOM);
      const bot = (async () => {
        while (running) {
          for (let burst = 0; burst < 5; burst += 1) broadcast(server.hub, called++);
          await breathe();
        }
      })();

      let known;
      for (let visit = 0; visit < 20; visit += 1) {
        const client = await connect(server);
        const joined = await client.join(ROOM, known);
        if (known) {
          assert.equal(joined.recovered, true);
          assert.equal(joined.seq, known.lastSeq);
        }
        known = { lastSeq: joined.seq, epoch: joined.epoch };
        for (const text of await client.settle()) {
          const message = JSON.parse(text);
          if (visit === 0 && message.epoch !== undefined) continue;
          assert.equal(message.seq, known.lastSeq + 1, 'a gap or a repeat');
          assert.equal(numberOf(message), message.seq - first.seq - 1);
          known.lastSeq = message.seq;
        }
        client.terminate();
        await client.closed;
      }
      running = false;
      await bot;
    });
  });
}
