'use strict';

// A fifth of a large crowd stops reading while updates go on: the others get every one of them, and
// as soon as without the stopped ones; what the hub keeps for these is bounded. The crowd runs in
// processes of its own, this one is the bot's.
//
// ROOMCAST_SLOW_SECONDS is how long the updates of each phase run: 5 s where it is not set. Times are
// printed and never asserted, since other tests may run beside this one.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { runProgram } = require('./support/program');
const { until } = require('./support/wait');

const SECONDS = Number(process.env.ROOMCAST_SLOW_SECONDS ?? 5);
const UPDATES_PER_SECOND = 4;

/** Fewer of both where the system has no descriptors or no memory for them. */
const [READERS, STOPPED] = [4_000, 1_000];
/** What a process needs besides, and each connection twice while it is handed over. */
const RESERVE = 500;
/** What the kernel itself takes for one that reads nothing, over a loopback of 64 KiB segments. */
const KERNEL_BYTES = 2 * 1024 * 1024;
const PAGE = 4096;

const MAX_BUFFERED = 16 * 1024;
/** More than the kernel takes for a client that reads nothing, by far. */
const FILLS_AT_MOST = 2_000;
/** Fills after which nobody has taken anything. */
const QUIET_FILLS = 5;

/** An update of a usual size, and one by which the kernel's buffers are soon full. */
const PAD = 'x'.repeat(800);
const FILL = { event: 'FILL', pad: 'x'.repeat(10_000) };
/** What stands around the pad: the frame's header and the other fields. */
const FIELDS = 200;

const MB = 1024 * 1024;

/** The number that a file of the system's has there; without the file there is no limit to know of. */
function limitIn(file, pattern) {
  try {
    const [, number] = pattern.exec(fs.readFileSync(file, 'utf8'));
    return number === 'unlimited' ? Number.POSITIVE_INFINITY : Number(number);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The part of the crowd that fits in here, and a word on it where that is not all. */
function scaleOf(t) {
  // Node has raised its soft limit to the hard one.
  const descriptors = limitIn('/proc/self/limits', /^Max open files\s+(\S+)/m);
  const kernelBytes = limitIn('/proc/sys/net/ipv4/tcp_mem', /(\d+)\s*$/) * PAGE;
  const scale = Math.min(
    1,
    (descriptors - RESERVE) / (READERS + STOPPED),
    kernelBytes / (STOPPED * KERNEL_BYTES),
  );
  const part = `${(scale * 100).toFixed()} % of the crowd, for want of descriptors or socket memory`;
  if (scale < 1) t.diagnostic(part);
  assert.ok(scale >= 0.1, part);
  return count => Math.floor(count * scale);
}

describe('a crowd of which a fifth reads nothing', () => {
  it('gets every update, in time, and costs what was said', async t => {
    const scaled = scaleOf(t);
    const [readers, stopped] = [scaled(READERS), scaled(STOPPED)];
    const server = await startHostile(t, {
      // The stopped ones are to stay and to be as many at the end.
      ...{ pingInterval: 600_000, slowTimeout: 600_000, maxBufferedBytes: MAX_BUFFERED },
    });
    const { hub, port } = server;
    let [mostBuffered, mostMemory] = [0, 0];

    function look() {
      mostBuffered = Math.max(mostBuffered, hub.getStats().bufferedBytes);
      mostMemory = Math.max(mostMemory, process.memoryUsage.rss());
    }

    /** Updates for so long, and what the readers say of them. */
    async function measure(crowd, seconds) {
      const count = Math.round(seconds * UPDATES_PER_SECOND);
      await new Promise(resolve => {
        let sent = 0;
        const ticking = setInterval(() => {
          const at = Number(process.hrtime.bigint());
          hub.broadcastRoomUpdate('live', { event: 'TICK', at, pad: PAD });
          look();
          sent += 1;
          if (sent < count) return;
          clearInterval(ticking);
          resolve();
        }, 1_000 / UPDATES_PER_SECOND);
      });
      hub.broadcastRoomUpdate('live', { event: 'PHASE_END' });
      const report = await crowd.nextLine();
      assert.deepEqual(
        { received: report.received, missed: report.missed },
        { received: readers * (count + 1), missed: 0 },
      );
      return report;
    }

    /** Fills the kernel's buffers of those that do not read, until the rest of it is ours to keep. */
    async function fill() {
      let quiet = 0;
      for (let count = 0; quiet < QUIET_FILLS; count += 1) {
        assert.ok(count < FILLS_AT_MOST, 'the kernel takes whatever comes');
        const { conflatedTotal, deliveriesTotal } = hub.getStats();
        hub.broadcastRoomUpdate('filler', FILL);
        const isRound = () => hub.getStats().deliveriesTotal >= deliveriesTotal + stopped;
        await until(isRound, 'a round through those that do not read');
        // One more update of each is conflated where nobody has taken the one before.
        const isStuck = hub.getStats().conflatedTotal >= conflatedTotal + stopped;
        quiet = isStuck ? quiet + 1 : 0;
        look();
      }
    }

    const crowd = runProgram(t, 'crowd.js', { port, clients: readers, rooms: ['live'] });
    assert.deepEqual(await crowd.nextLine(), { joined: readers });
    await measure(crowd, 1);
    const alone = await measure(crowd, SECONDS);

    const rooms = ['live', 'filler'];
    const settings = { port, clients: stopped, rooms, stop: true };
    const still = runProgram(t, 'crowd.js', settings);
    assert.deepEqual(await still.nextLine(), { joined: stopped });
    const before = process.memoryUsage.rss();
    mostMemory = before;
    await fill();
    const beside = await measure(crowd, SECONDS);

    const { openConnections, slowClients, conflatedTotal } = hub.getStats();
    assert.deepEqual([openConnections, slowClients], [readers + stopped, stopped]);
    assert.ok(conflatedTotal > 0);
    // What a client costs at most: `maxBufferedBytes` and one update for each of its rooms.
    const each = MAX_BUFFERED + (FIELDS + PAD.length) + (FIELDS + FILL.pad.length);
    assert.ok(mostBuffered > 0 && mostBuffered <= stopped * each, `${mostBuffered} bytes wait`);
    const grown = mostMemory - before;
    const bound = (readers + stopped) * each;
    assert.ok(grown <= bound, `${grown} bytes more, of ${bound}`);

    const inMs = ({ p50, p99, max }) =>
      `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, longest ${max.toFixed(2)} ms`;
    const inMb = bytes => `${(bytes / MB).toFixed(1)} MB`;
    t.diagnostic(`${readers} readers, ${SECONDS} s at ${UPDATES_PER_SECOND} updates a second`);
    t.diagnostic(`without stopped ones: ${inMs(alone)}`);
    t.diagnostic(`with ${stopped} stopped ones: ${inMs(beside)}`);
    t.diagnostic(`p99 with to without: ${(beside.p99 / alone.p99).toFixed(2)} (the bar is 1.5)`);
    t.diagnostic(`waiting for the stopped ones: ${inMb(mostBuffered)} of ${inMb(stopped * each)}`);
    t.diagnostic(
      `memory grown by ${inMb(grown)}, of clients × (maxBufferedBytes + one update per room): ${inMb(bound)}`,
    );
  });
});
