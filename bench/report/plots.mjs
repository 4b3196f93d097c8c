// The plots of a result, as SVG.

import { parse, View } from 'vega';
import { compile } from 'vega-lite';
import { show } from '../figures.mjs';
import { peers } from '../peers.mjs';
import { medians } from './tables.mjs';

const OURS = '#c2410c';
const THEIRS = '#94a3b8';

/** `{ [name]: { alt, svg } }`, for those plots that the result has figures for. */
export async function plots(result) {
  const wanted = {
    'bench-cpu': {
      alt: 'CPU per delivered message, by server',
      spec: bars(rows(result, 'room', { cpu: '' }), 'µs of CPU per delivered message', 'linear'),
    },
    'bench-call': {
      alt: 'How long one call keeps the bot, by server and number of clients',
      spec: bars(
        [
          ...rows(result, 'room', { call: '10 000 clients' }),
          ...rows(result, 'call', { call: '10 clients' }),
        ],
        'µs of wall time of one call (logarithmic)',
        'log',
      ),
    },
    'bench-latency': {
      alt: 'Time from the call to the delivery, by server',
      spec: bars(
        rows(result, 'room', { p50: 'p50', p99: 'p99' }),
        'ms from the call to the delivery, 10 000 clients',
        'linear',
      ),
    },
  };
  const drawn = {};
  for (const [name, { alt, spec }] of Object.entries(wanted)) {
    if (spec.data.values.length > 0) drawn[name] = { alt, svg: titled(await draw(spec), alt) };
  }
  return drawn;
}

/**
 * A row per peer and figure; `series` names the figures. Relayed has fewer clients: it is in the
 * table alone.
 */
function rows(result, scenario, series) {
  return peers
    .filter(({ share }) => !share)
    .flatMap(({ name, title }) => {
      const values = medians(result, scenario, name);
      if (!values) return [];
      return Object.entries(series).map(([figure, label]) => ({
        peer: title,
        ours: title.startsWith('roomcast'),
        series: label,
        value: values[figure],
        text: show(values[figure]),
      }));
    });
}

function bars(values, title, scale) {
  const y = { field: 'peer', type: 'nominal', sort: null, title: null };
  const layered = new Set(values.map(row => row.series)).size > 1;
  const order = [...new Set(values.map(row => row.series))];
  const x = { field: 'value', type: 'quantitative', title, scale: { type: scale } };
  const axis = { grid: true, tickCount: 6 };
  const log = scale === 'log';
  if (log) {
    x.scale.domainMin = 1;
    axis.values = [0, 1, 2, 3, 4, 5, 6].map(power => 10 ** power);
  }
  const encoding = {
    y: { ...y, axis: { labelLimit: 300 } },
    x: { ...x, axis },
    ...(layered && { yOffset: { field: 'series', sort: order } }),
  };
  return {
    background: 'white',
    padding: 12,
    width: 520,
    height: { step: layered ? 17 : 26 },
    data: { values },
    layer: [
      {
        mark: 'bar',
        encoding: {
          ...encoding,
          // A logarithmic bar begins at 1: there is no 0.
          ...(log && { x2: { datum: 1 } }),
          color: {
            condition: { test: 'datum.ours', value: OURS },
            value: THEIRS,
          },
          ...(layered && {
            opacity: {
              field: 'series',
              type: 'nominal',
              sort: order,
              scale: { range: [1, 0.55] },
              legend: { title: null, orient: 'bottom', symbolType: 'square' },
            },
          }),
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 4, fontSize: 11 },
        encoding: { ...encoding, text: { field: 'text' } },
      },
    ],
    config: { font: 'system-ui, sans-serif', view: { stroke: null } },
  };
}

async function draw(spec) {
  const { spec: compiled } = compile(spec);
  const svg = await new View(parse(compiled), { renderer: 'none' }).toSVG();
  return `${svg}\n`;
}

/** Vega's roles for each axis and tick tell a screen reader nothing: one title for the whole does. */
function titled(svg, title) {
  return svg
    .replace(/ (?:role|aria-[a-z]+)="[^"]*"/g, '')
    .replace(/^<svg[^>]*>/, opening => `${opening}<title>${title}</title>`);
}
