// A result as rows, for the console and the page alike.

import { judge } from '../bars.mjs';
import { figures, show } from '../figures.mjs';
import { median } from '../numbers.mjs';
import { peers } from '../peers.mjs';
import { scenarios, sizeFor } from '../scenarios/all.mjs';

const titleOf = name => peers.find(peer => peer.name === name).title;
const named = figure => {
  const { title, unit } = figures[figure];
  return unit ? `${title}, ${unit}` : title;
};

/** The figures of one peer in one scenario, one entry a run; undefined for a run without. */
const figuresOf = result => (scenario, peer) => result.runs.map(run => run[scenario]?.[peer]);

/** The median of each figure over the runs; undefined where a peer has none. */
export function medians(result, scenario, peer) {
  const runs = figuresOf(result)(scenario, peer).filter(Boolean);
  if (runs.length === 0) return undefined;
  return Object.fromEntries(
    Object.keys(runs[0]).map(figure => [figure, median(runs.map(run => run[figure]))]),
  );
}

/** The share of the machine that other processes had during a measurement: the median, in percent. */
export function others(result) {
  const shares = result.runs.flatMap(Object.values).flatMap(Object.values);
  return median(shares.map(figures => figures.others));
}

/** One table per scenario: `{ title, head, rows }`, all text. */
export function scenarioTables(result) {
  const { quick, machine } = result;
  const size = (scenario, peer) => sizeFor(scenario, peer, { quick, ...machine });
  return scenarios
    .filter(({ name }) => result.runs.some(run => run[name]))
    .map(scenario => {
      const whole = size(scenario, {});
      const rows = peers.flatMap(peer => {
        const values = medians(result, scenario.name, peer.name);
        if (!values) return [];
        const { clients } = size(scenario, peer);
        const fewer = clients < whole.clients ? `, ${show(clients)} clients` : '';
        return [[peer.title + fewer, ...scenario.figures.map(figure => show(values[figure]))]];
      });
      const head = ['', ...scenario.figures.map(named)];
      return { name: scenario.name, title: scenario.title(whole), head, rows };
    });
}

/** The bars: `{ head, rows }`, all text. */
export function barTable(result) {
  const rows = judge(figuresOf(result)).map(
    ({ scenario, figure, peer, against, most, least, value, reached }) => {
      const { title, unit } = figures[figure];
      const of = scenarios.find(({ name }) => name === scenario);
      const what = title.replace('… of the main thread', 'main-thread CPU');
      const in_ = against ? `of ${titleOf(against)}` : unit;
      return [
        `${of.short}: ${what}`,
        titleOf(peer),
        `${show(value)} ${in_}`.trim(),
        least ? `at least ${show(least)}` : `at most ${show(most)}`,
        reached ? 'yes' : '**no**',
      ];
    },
  );
  return { head: ['work', 'who', 'measured', 'held to', 'reached'], rows };
}
