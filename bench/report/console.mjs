// A result in a terminal.

import { figures, show } from '../figures.mjs';
import { barTable, others, scenarioTables } from './tables.mjs';

/** One line of what has just been measured. */
export function printFigures(line, measured) {
  const parts = Object.entries(measured).map(
    ([figure, value]) => `${figure} ${show(value)} ${figures[figure].unit}`,
  );
  console.log(`${line}: ${parts.join(', ')}`);
}

export function print(result) {
  for (const { title, head, rows } of scenarioTables(result)) {
    console.log(`\n${title}`);
    grid(head, rows);
  }
  const { head, rows } = barTable(result);
  if (rows.length > 0) {
    console.log('\nmedians of the ratios within one run');
    grid(
      head,
      rows.map(row => row.map(cell => cell.replaceAll('**', ''))),
    );
  }
  console.log(`\nothers had ${show(others(result))} % of the machine meanwhile (median)`);
  for (const [peer, why] of Object.entries(result.absent)) {
    console.log(`\nleft out: ${peer} (${why})`);
  }
  if (result.faults.length > 0) {
    console.log(`\nvoid:\n${result.faults.map(({ text }) => text).join('\n')}`);
  }
}

function grid(head, rows) {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map(row => row[column].length)),
  );
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
    );
    console.log(`  ${cells.join('  ')}`);
  }
}
