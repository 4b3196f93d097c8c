// What the monitor shows: every figure, its lines, and when a number is a bad one.

import { bytes, count, milliseconds, rate } from './units.mjs';

/** Above this, whoever asks the bot for something notices. */
const LATE_MS = 100;
/** One stop of this length is too much, however well the rest of its second went. */
const STOPPED_MS = 1_000;

/** How long a warning stands, in milliseconds. */
export const WARNING_MS = 5_000;

const late = sample => sample.loopDelayMs.p99 > LATE_MS;
const stopped = sample => sample.loopDelayMs.max > STOPPED_MS;
const slow = sample => sample.slowClients > 0;

const wholes = [1, 2, 5].flatMap(step => [1, 10, 100, 1e3, 1e4, 1e5, 1e6].map(ten => step * ten));
const WHOLE = wholes.sort((a, b) => a - b);

/**
 * `name` stands in the page's `data-chart`; `least` is the least that its axis goes up to, `steps` are the
 * steps that an axis may have. A line has its `name` (in `data-value`), a label, how it is read from a
 * sample and written, its `row` in the table where the label is not enough there, and `right` where it
 * has an axis of its own. A `warning` is shown for a while after `when` was so; above the charts it is
 * `short`.
 */
export const CHARTS = [
  {
    name: 'connections',
    title: 'Connections',
    write: count,
    least: 4,
    steps: WHOLE,
    lines: [
      {
        name: 'connections',
        label: 'Open',
        row: 'Connections',
        read: sample => sample.connections,
      },
    ],
  },
  {
    name: 'rooms',
    title: 'Rooms and memberships',
    write: count,
    least: 4,
    steps: WHOLE,
    lines: [
      { name: 'memberships', label: 'Memberships', read: sample => sample.memberships },
      { name: 'rooms', label: 'Rooms with clients', read: sample => sample.rooms, right: true },
    ],
  },
  {
    name: 'rates',
    title: 'Updates and deliveries',
    write: rate,
    least: 4,
    steps: WHOLE,
    lines: [
      { name: 'deliveriesPerSecond', label: 'Deliveries', read: s => s.deliveriesPerSecond },
      { name: 'updatesPerSecond', label: 'Updates', read: s => s.updatesPerSecond, right: true },
    ],
  },
  {
    name: 'backlog',
    title: 'Backlog and slow clients',
    write: bytes,
    least: 1000,
    steps: WHOLE,
    lines: [
      { name: 'bufferedBytes', label: 'Backlog', read: sample => sample.bufferedBytes },
      {
        name: 'slowClients',
        label: 'Slow clients',
        read: sample => sample.slowClients,
        write: count,
        right: true,
        least: 4,
        bad: slow,
      },
      {
        name: 'conflatedPerSecond',
        label: 'Conflated',
        read: sample => sample.conflatedPerSecond,
        write: rate,
        undrawn: true,
      },
    ],
    warning: {
      when: slow,
      short: 'slow clients',
      text: 'Slow: some clients do not take what they are sent. They get the newest state only, and are closed if they stay behind.',
    },
  },
  {
    name: 'loop',
    title: 'Event-loop delay',
    write: milliseconds,
    least: 20,
    lines: [
      {
        name: 'p99',
        label: '99th percentile',
        row: 'Event-loop delay, 99th percentile',
        read: s => s.loopDelayMs.p99,
        bad: late,
      },
      {
        name: 'p50',
        label: 'Median',
        row: 'Event-loop delay, median',
        read: sample => sample.loopDelayMs.p50,
      },
      {
        name: 'max',
        label: 'Longest',
        row: 'Event-loop delay, longest',
        read: sample => sample.loopDelayMs.max,
        bad: stopped,
      },
    ],
    warning: {
      when: sample => late(sample) || stopped(sample),
      short: 'late event loop',
      text: `Late: something holds up the bot's event loop for more than ${LATE_MS} ms. Whoever asks it waits.`,
    },
  },
  {
    name: 'memory',
    title: 'Memory',
    write: bytes,
    least: 1e6,
    lines: [
      { name: 'rss', label: 'Process', row: 'Memory of the process', read: sample => sample.rss },
      { name: 'heapUsed', label: 'JavaScript heap', read: sample => sample.heapUsed },
    ],
  },
];
