'use strict';

const { monitorEventLoopDelay, performance } = require('node:perf_hooks');

const INTERVAL_MS = 1_000;
const SAMPLES_KEPT = 600;
const RESOLUTION_MS = 10;

/**
 * Samples the hub and this process once a second, until the hub closes, and keeps ten minutes of it.
 *
 * @param {import('roomcast').RoomWebSocketServer} rooms
 */
function startMonitor(rooms) {
  const samples = [];
  const loop = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  loop.enable();
  let before = { ...rooms.getStats(), time: performance.now() };

  const timer = setInterval(() => {
    const now = { ...rooms.getStats(), time: performance.now() };
    samples.push({ ...hubSample(before, now), ...processSample(loop) });
    if (samples.length > SAMPLES_KEPT) samples.shift();
    loop.reset();
    before = now;
  }, INTERVAL_MS).unref();
  rooms.once('close', () => {
    clearInterval(timer);
    loop.disable();
  });

  return {
    /** `{ intervalMs, samples }` with the samples newer than `since`, milliseconds since 1970. */
    read: (since = 0) => ({
      intervalMs: INTERVAL_MS,
      samples: samples.filter(({ at }) => at > since),
    }),
  };
}

function hubSample(before, now) {
  const seconds = (now.time - before.time) / 1_000;
  const perSecond = counter => Math.round(((now[counter] - before[counter]) / seconds) * 10) / 10;
  return {
    at: Date.now(),
    connections: now.openConnections,
    rooms: now.totalRoomsWithClients,
    memberships: now.totalConnections,
    updatesPerSecond: perSecond('updatesTotal'),
    deliveriesPerSecond: perSecond('deliveriesTotal'),
    bufferedBytes: now.bufferedBytes,
    slowClients: now.slowClients,
    conflatedPerSecond: perSecond('conflatedTotal'),
    threads: now.perThread,
  };
}

function processSample(loop) {
  const { heapUsed, rss } = process.memoryUsage();
  return {
    loopDelayMs: {
      p50: delayMs(loop.percentile(50)),
      p99: delayMs(loop.percentile(99)),
      max: delayMs(loop.max),
    },
    heapUsed,
    rss,
  };
}

/** Node measures from one of its timer's firings to the next: what is beyond the timer is delay. */
function delayMs(nanoseconds) {
  return Math.max(0, Math.round((nanoseconds / 1e6 - RESOLUTION_MS) * 100) / 100);
}

module.exports = { startMonitor };
