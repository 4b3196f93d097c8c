'use strict';

// Redis that stops answering for a while, its connections standing: each process serves its own
// clients meanwhile, and all of them come back to one sequence.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { setTimeout: passed } = require('node:timers/promises');
const { aftermath } = require('./support/aftermath');
const { connect } = require('./support/client');
const { startFleet } = require('./support/fleet');
const { needsRedis, startRedis } = require('./support/redis');
const { startServer } = require('./support/server');
const { Updates } = require('./support/updates');
const { nextEvent, until } = require('./support/wait');
const {
  assertAgree,
  assertFaultless,
  assertNewest,
  untilAllSaw,
  untilAllShow,
  watch,
} = require('./support/witness');

/** Has members in both processes, and updates from both. */
const BUSY = 1;
/** Has members in the first process only, and updates from the second only. */
const FAR = 'far';
/** Has members in both, and no update while Redis is away. */
const QUIET = 'quiet';

const STOPPED_MS = 5_000;

/** Far more than two bots can have handed to Redis that it has not taken. */
const UNDER_WAY = 128;

/** A Redis, two bots on it, and witnesses of the rooms, which have all seen some updates. */
async function inStep(t) {
  const redis = await startRedis(t);
  const bots = await startFleet(t, 2, redis);
  const [first, second] = bots;
  const updates = new Updates();
  const busy = await Promise.all([first, second, first].map(bot => watch(bot, BUSY)));
  const far = [await watch(first, FAR)];
  const quiet = await Promise.all(bots.map(bot => watch(bot, QUIET)));
  for (const [witnesses, from, roomId] of [
    [busy, bots, BUSY],
    [far, [second], FAR],
    [quiet, bots, QUIET],
  ]) {
    const names = await updates.sendSome(from, roomId, 20);
    await untilAllSaw(witnesses, names);
    assertAgree(witnesses);
    assertNewest(witnesses, names);
  }
  return { redis, bots, updates, busy, far, quiet };
}

/** Twice what it may take, and more: no measure, but an end to what has gone wrong. */
const FAILSAFE_MS = { away: 3_000, up: 4_000 };

/** The `cluster` events of all bots; how long after `from` each came. */
async function allTold(bots, state, from) {
  const took = await Promise.all(
    bots.map(async bot => {
      assert.equal(await bot.nextState(), state);
      return Date.now() - from;
    }),
  );
  assert.ok(Math.max(...took) < FAILSAFE_MS[state], `${state} after ${took} ms`);
  return took;
}

const warnings = bot => bot.log.filter(({ level }) => level !== 'debug' && level !== 'info');

describe('Redis stopped for 5 s', needsRedis, () => {
  it('costs the clients nothing but the numbers', async t => {
    const { redis, bots, updates, busy, far, quiet } = await inStep(t);
    const [first, second] = bots;
    const before = { epoch: busy[0].epoch, seq: busy[0].seq };
    const turnsBefore = new Map([...busy, ...far, ...quiet].map(one => [one, one.turns.length]));
    const newTurns = witness => witness.turns.slice(turnsBefore.get(witness));
    await Promise.all(bots.map(bot => bot.own('watchLoop')));

    updates.start(bots, [BUSY]);
    redis.pause();
    const stopped = Date.now();
    const awayAfter = await allTold(bots, 'away', stopped);
    t.diagnostic(`away after ${awayAfter.join(' and ')} ms`);
    for (const bot of bots) assert.equal(await bot.sample('cluster_up'), 0);

    // Each process alone: its own epoch, of which the first update tells.
    await until(
      () => busy.every(({ epoch }) => epoch !== before.epoch),
      () => `a local epoch: ${busy.map(({ epoch }) => epoch)}`,
    );
    assert.notEqual(busy[0].epoch, busy[1].epoch);
    assert.equal(busy[0].epoch, busy[2].epoch);
    for (const witness of busy) {
      assert.deepEqual(
        newTurns(witness).map(({ kind, seq }) => [kind, seq]),
        [['update', 1]],
      );
    }

    // Whoever comes, asks and goes is answered.
    const late = await Promise.all(bots.map(bot => watch(bot, BUSY, { userId: 'late' })));
    const leaver = await watch(first, BUSY, { userId: 'leaver' });
    leaver.client.send({ action: 'LEAVE_ROOM', roomId: BUSY });
    await until(
      () => leaver.client.received.at(-1).startsWith('{"type":"ROOM_LEFT"'),
      () => `ROOM_LEFT behind ${leaver.client.received.at(-1)}`,
    );
    const local = { epoch: busy[0].epoch, lastSeq: busy[0].seq };
    const back = await watch(first, BUSY, { userId: 'back', ...local });
    assert.equal(back.joins[0].recovered, true);
    await untilAllSaw([back], await updates.send(first, BUSY));
    assert.deepEqual(back.turns, []);
    const asker = await connect(second, { userId: 'asker' });
    const status = JSON.parse(await asker.ask({ action: 'GET_ROOM_STATUS', roomId: BUSY }));
    assert.equal(status.connectedClients, 2, 'those of this process');
    assert.equal(await first.call('getClusterClientCount', BUSY), 4);
    const unknown = await watch(first, 'unknown', { userId: 'newcomer' });
    assert.equal(unknown.joins[0].seq, 0);

    await passed(Math.max(0, stopped + STOPPED_MS - Date.now()));
    await updates.stop();
    await updates.send(second, FAR);
    assert.deepEqual(newTurns(far[0]), [], 'nothing can have come from the other process');
    // The newest of all comes from the process that comes to Redis first or last, as chance has it.
    await updates.send(first, BUSY);
    const delays = await Promise.all(bots.map(bot => bot.own('longestDelay')));
    t.diagnostic(
      `longest delay of the event loops ${delays.map(ms => ms.toFixed(1)).join(', ')} ms`,
    );

    redis.resume();
    const resumed = Date.now();
    const backAfter = await allTold(bots, 'up', resumed);
    const everyone = [...busy, ...late, back];
    await untilAllShow(everyone, updates.newest(BUSY));
    await untilAllShow(far, updates.newest(FAR));
    await until(
      () => everyone.every(({ epoch }) => epoch === everyone[0].epoch),
      () => `one epoch: ${everyone.map(({ epoch }) => epoch)}`,
    );
    t.diagnostic(
      `up after ${backAfter.join(' and ')} ms, all in step after ${Date.now() - resumed}`,
    );
    assertAgree(everyone);
    assertFaultless(far);
    assert.equal(busy[0].epoch, before.epoch, 'Redis has its epoch still');
    assert.ok(busy[0].seq > before.seq);
    for (const bot of bots) assert.equal(await bot.sample('cluster_up'), 1);

    // One sequence again, the same for all.
    const { seq } = busy[0];
    const names = await updates.sendSome(bots, BUSY, 20);
    await untilAllSaw(everyone, names);
    assertAgree(everyone);
    assert.equal(busy[0].seq, seq + names.length);
    assertNewest(everyone, names);
    for (const fields of [{}, local]) {
      const visitor = await watch(second, BUSY, { userId: 'visitor', ...fields });
      const { epoch, seq: at, recovered } = visitor.joins[0];
      assert.deepEqual([epoch, at], [busy[0].epoch, busy[0].seq]);
      assert.equal(recovered, fields.epoch && false);
    }

    // A room without updates has nothing to tell.
    assertFaultless(quiet);
    for (const witness of quiet) assert.deepEqual(newTurns(witness), []);
    const inQuiet = await updates.send(first, QUIET);
    await untilAllSaw(quiet, inQuiet);
    assertAgree(quiet);

    // Every update is in Redis, or counted as one that never came there; what was under way when Redis
    // stopped may be both.
    const numbered = [busy, far, quiet].reduce((sum, [{ seq: reached }]) => sum + reached, 0);
    const dropped = await Promise.all(bots.map(bot => bot.sample('cluster_dropped_total')));
    const accounted = numbered + dropped.reduce((sum, some) => sum + some);
    t.diagnostic(`${updates.sent} updates, ${numbered} of them in Redis, ${dropped} dropped`);
    assert.ok(accounted >= updates.sent && accounted <= updates.sent + UNDER_WAY, `${accounted}`);
    for (const bot of bots) {
      assert.deepEqual(bot.states, ['up', 'away', 'up']);
      assert.deepEqual(bot.errors, []);
      const lines = warnings(bot);
      assert.deepEqual(
        lines.map(({ level }) => level),
        ['warn', 'warn'],
        JSON.stringify(lines),
      );
      assert.ok(JSON.stringify(lines[0]).includes(`127.0.0.1:${redis.port}`), lines[0].message);
      assert.ok((await bot.sample('cluster_reconnects_total')) >= 1);
      assert.ok((await bot.sample('cluster_dropped_total')) > 0);
    }
  });

  it('leaves the newest of all updates, whichever process it came from', async t => {
    const { redis, bots, updates, busy } = await inStep(t);
    for (const newest of bots) {
      const [other] = bots.filter(bot => bot !== newest);
      redis.pause();
      const awayAfter = await allTold(bots, 'away', Date.now());
      for (const from of [newest, other, newest]) await updates.send(from, BUSY);
      redis.resume();
      const resumed = Date.now();
      const backAfter = await allTold(bots, 'up', resumed);
      await untilAllShow(busy, updates.newest(BUSY));
      t.diagnostic(
        `away after ${awayAfter} ms, up after ${backAfter}, in step after ${Date.now() - resumed}`,
      );
      await untilAllSaw(busy, await updates.send(other, BUSY));
      assertAgree(busy);
    }
  });
});

describe('a hub that closes while Redis is away', needsRedis, () => {
  for (const [state, backlog] of [
    ['with nothing to hand over', 0],
    ['with a backlog', 1_000],
  ]) {
    it(`does not wait for it, ${state}, and leaves no thread`, async t => {
      const redis = await startRedis(t);
      const [bot] = await startFleet(t, 1, redis);
      const witness = await watch(bot, BUSY);
      const running = await bot.own('threads');
      assert.ok(running.includes('roomcast-cluste'), `${running}`);
      redis.pause();
      assert.equal(await bot.nextState(), 'away');
      const rooms = Array.from({ length: backlog }, (_, room) => [room, 'P', 1, 9, 'join']);
      await bot.callEach('broadcastRoomUpdate', rooms);

      const from = Date.now();
      assert.deepEqual(await bot.stop(), { code: 0, signal: null });
      t.diagnostic(`the process had ended after ${Date.now() - from} ms`);
      assert.deepEqual(await witness.client.closed, { code: 1001, reason: 'Server shutting down' });
    });
  }

  it('gives back what it held', async t => {
    const end = aftermath(t);
    const redis = await startRedis(t);
    const server = await startServer(t, { form: 'standalone', cluster: { url: redis.url } });
    end.of(server);
    await nextEvent(server.hub, 'cluster');
    const client = await connect(server);
    await client.join(BUSY);
    redis.pause();
    assert.deepEqual(await nextEvent(server.hub, 'cluster'), ['away']);
    server.hub.broadcastParticipantCount(BUSY, 1, 9);
    await server.hub.close();
  });

  it('takes updates and questions to the end, and answers them', async t => {
    const redis = await startRedis(t);
    const [bot] = await startFleet(t, 1, redis);
    await watch(bot, BUSY);
    redis.pause();
    // Redis may or may not be taken for away yet.
    const counts = Array.from({ length: 5 }, () => bot.call('getClusterClientCount', BUSY));
    const stopped = bot.stop();
    for (const count of await Promise.all(counts)) assert.ok(count <= 1, `${count}`);
    assert.deepEqual(await stopped, { code: 0, signal: null });
  });
});
