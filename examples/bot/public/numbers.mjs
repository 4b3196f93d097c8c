// The same in tables: for those who hear the page, and for the night's report.

import { CHARTS } from './charts.mjs';
import { bytes, count } from './units.mjs';

function cell(kind, text, scope) {
  const element = document.createElement(kind);
  element.textContent = text;
  if (scope) element.scope = scope;
  return element;
}

function row(head, ...values) {
  const element = document.createElement('tr');
  element.append(cell('th', head, 'row'), ...values.map(value => cell('td', value)));
  return element;
}

/** Fills the table of every line: now, mean, highest. */
export function showNumbers(body, samples) {
  const { newest } = samples;
  const rows = CHARTS.flatMap(chart =>
    chart.lines.map(line => {
      const write = line.write ?? chart.write;
      const { mean, highest } = samples.summary(line.read);
      return row(line.row ?? line.label, ...[line.read(newest), mean, highest].map(write));
    }),
  );
  body.replaceChildren(...rows);
}

/** Fills the table of the hub's threads. */
export function showThreads(body, { threads }) {
  body.replaceChildren(
    ...threads.map(({ connections, backlog }, index) =>
      row(index + 1, count(connections), bytes(backlog)),
    ),
  );
}
