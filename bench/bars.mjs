// What roomcast is held to: a figure beside that of a reference in the same run, or against a fixed
// value.

import { median } from './numbers.mjs';

const OURS = ['roomcast', 'standalone'];
const CLUSTERED = { peers: ['clustered'], against: 'socket.io-redis' };

const bars = [
  { scenario: 'room', figure: 'cpu', peers: OURS, against: 'floor', most: 1.1 },
  { scenario: 'room', figure: 'p99', peers: OURS, against: 'uws', most: 0.65 },
  { scenario: 'room', figure: 'call', peers: OURS, most: 40 },
  { scenario: 'call', figure: 'call', peers: OURS, most: 40 },
  { scenario: 'room', figure: 'stall', peers: OURS, most: 10 },
  { scenario: 'burst', figure: 'call', peers: OURS, most: 2 },
  { scenario: 'burst', figure: 'cpu', peers: OURS, against: 'uws', most: 0.35 },
  { scenario: 'rooms', figure: 'cpu', peers: OURS, against: 'uws', most: 1 },
  { scenario: 'accept', figure: 'acceptMain', peers: ['roomcast'], against: 'ws', most: 0.3 },
  { scenario: 'accept', figure: 'accept', peers: ['standalone'], against: 'uws', most: 1 },
  // Nothing at all; the process answers the conductor, and a clock has its grain.
  { scenario: 'accept', figure: 'acceptMain', peers: ['standalone'], most: 0.5 },
  { scenario: 'memory', figure: 'perClient', peers: OURS, most: 1 },
  { scenario: 'memory', figure: 'closedRatio', peers: OURS, most: 1.2 },
  { scenario: 'across', figure: 'p50', ...CLUSTERED, most: 0.5 },
  { scenario: 'carried', figure: 'carried', ...CLUSTERED, least: 3 },
  { scenario: 'carried-rooms', figure: 'carried', ...CLUSTERED, least: 3 },
  { scenario: 'thread', figure: 'paced', ...CLUSTERED, against: 'roomcast', most: 1.2 },
  { scenario: 'thread', figure: 'bursts', ...CLUSTERED, against: 'roomcast', most: 1.2 },
];

/**
 * The bars for which a result has figures, each with the median over the runs: of the ratio within
 * a run where there is a reference, else of the figure. `runs` is what `figuresOf(result, scenario,
 * peer)` lists, one entry a run.
 */
export function judge(figuresOf) {
  const judged = [];
  for (const { scenario, figure, peers, against, most = Infinity, least = 0 } of bars) {
    for (const peer of peers) {
      const own = figuresOf(scenario, peer);
      const reference = against && figuresOf(scenario, against);
      const values = own
        .map((run, index) => run?.[figure] / (against ? reference[index]?.[figure] : 1))
        .filter(Number.isFinite);
      if (values.length === 0) continue;
      const value = median(values);
      const reached = least <= value && value <= most;
      judged.push({ scenario, figure, peer, against, most, least, value, reached });
    }
  }
  return judged;
}
