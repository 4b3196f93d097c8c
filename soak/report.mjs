// A run in a terminal, and what is wrong with it.

import { show } from '../bench/figures.mjs';
import { kept } from './gauges.mjs';

const FORMS = {
  http: "attached to the bot's http server",
  standalone: 'standalone',
  https: "relayed from the bot's https server",
};

const MIB = 2 ** 20;

/** What must not be, in words: empty where the run is good. */
export function judge({ tally, gauges, left }) {
  const wrong = Object.entries(tally.wrong).map(
    ([what, { count, examples }]) => `${count} × ${what}:\n    ${examples.join('\n    ')}`,
  );
  if (tally.missing > 0) wrong.push(`${tally.missing} updates are missing`);
  if (tally.duplicates > 0) wrong.push(`${tally.duplicates} updates came twice`);
  if (left) wrong.push(`the hub holds on to clients that are gone: ${left}`);
  const held = kept(gauges.after, gauges.before);
  if (held) wrong.push(`not given back: ${held}`);
  return wrong;
}

export function print(result) {
  const { options, seconds, figures, tally, gauges } = result;
  const { form, clients, seed } = options;
  console.log(
    `\nroomcast ${FORMS[form]}: ${show(seconds)} s, ${clients} clients at a time, seed ${seed}\n`,
  );
  grid([
    ['clients served', figures.served],
    ['updates sent by the bot', figures.sent],
    ['updates delivered', tally.delivered],
    ['… given way to newer ones (clients that did not read)', figures.conflated],
    ['… missing (clients that read)', tally.missing],
    ['… twice', tally.duplicates],
    ['rooms recovered without a gap', tally.recovered],
    ['rooms begun anew, since what was missed is held no more', tally.beyondRecovery],
    ["longest delay of the bot's event loop, ms", figures.stallMs],
    ['faults injected', sum(tally.injected)],
  ]);
  console.log('');
  grid([
    ["the bot's process", 'at the start', 'warmed up', 'at the end'],
    gaugeRow('memory (RSS), MiB', gauges, ({ rss }) => rss / MIB),
    gaugeRow('… less what V8 holds unused, MiB', gauges, ({ used }) => used / MIB),
    gaugeRow('descriptors', gauges, ({ descriptors }) => descriptors),
    gaugeRow('threads', gauges, ({ threads }) => threads),
  ]);
  console.log('');
  grid([['faults', 'injected'], ...sorted(tally.injected)]);
  console.log('');
  grid([['connections that the hub ended, with', ''], ...sorted(tally.ended)]);
}

const sum = counts => Object.values(counts).reduce((all, count) => all + count, 0);

const sorted = counts => Object.entries(counts).sort(([one], [other]) => (one < other ? -1 : 1));

const gaugeRow = (title, { fresh, before, after }, of) => [
  title,
  ...[fresh, before, after].map(of),
];

function grid(rows) {
  const cells = rows.map(row => row.map(cell => (typeof cell === 'number' ? show(cell) : cell)));
  const widths = cells[0].map((_, column) => Math.max(...cells.map(row => row[column].length)));
  for (const row of cells) {
    const padded = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]),
    );
    console.log(`  ${padded.join('  ').trimEnd()}`);
  }
}
