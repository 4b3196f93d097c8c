'use strict';

const { createHistogram, performance } = require('node:perf_hooks');

const INTERVAL_MS = 1_000;
const SAMPLES_KEPT = 600;
const BEAT_MS = 10;

/**
 * Samples the hub and this process once a second, until the hub closes, and keeps ten minutes of it.
 *
 * @param {import('roomcast').RoomWebSocketServer} rooms
 */
function startMonitor(rooms) {
  const samples = [];
  const loop = measureLoop();
  let before = { ...rooms.getStats(), time: performance.now() };

  const timer = setInterval(() => {
    const now = { ...rooms.getStats(), time: performance.now() };
    samples.push({ ...hubSample(before, now), ...processSample(loop.delays) });
    if (samples.length > SAMPLES_KEPT) samples.shift();
    loop.delays.reset();
    before = now;
  }, INTERVAL_MS).unref();
  rooms.once('close', () => {
    clearInterval(timer);
    loop.stop();
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

/**
 * How late the event loop is, in microseconds beyond a timer's time. Node's own monitorEventLoopDelay()
 * forgets at each reset when it last fired: what holds the loop up around a sample would never be told.
 */
function measureLoop() {
  const delays = createHistogram();
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    // A histogram takes no 0.
    delays.record(Math.max(1, Math.round((now - last - BEAT_MS) * 1_000)));
    last = now;
  }, BEAT_MS).unref();
  return { delays, stop: () => clearInterval(timer) };
}

function processSample(delays) {
  const { heapUsed, rss } = process.memoryUsage();
  return {
    loopDelayMs: {
      p50: delays.percentile(50) / 1_000,
      p99: delays.percentile(99) / 1_000,
      max: delays.max / 1_000,
    },
    heapUsed,
    rss,
  };
}

module.exports = { startMonitor };
