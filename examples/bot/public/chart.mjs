// One figure: its newest values in text, and its lines.

import { WARNING_MS } from './charts.mjs';
import { brief, clock } from './units.mjs';
import uPlot from './vendor/uplot/uPlot.esm.js';

const HEIGHT = 150;
/** A pause of the bot's event loop up to this is seen in that loop's own chart. */
const GAP_MS = 10_000;
/** All charts show the moment that the pointer is at in one of them. */
const sync = uPlot.sync('monitor');

const hours = (_, splits) =>
  splits.map(at => new Date(at * 1000).toLocaleTimeString([], { timeStyle: 'short' }));

/** A colour of the style sheet, which knows light and dark. */
const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Chart {
  #chart;
  #plot;
  #figure;
  #tip;
  #samples;
  #values = new Map();

  /** @param template the figure's @param chart of `CHARTS` @param samples the `Samples` it draws */
  constructor(template, chart, samples) {
    this.#chart = chart;
    this.#samples = samples;
    this.#figure = template.content.firstElementChild.cloneNode(true);
    this.#figure.dataset.chart = chart.name;
    this.#figure.querySelector('h2').textContent = chart.title;
    this.#figure.querySelector('.plot').ariaLabel =
      `${chart.title} over the last 10 minutes. The table below has the numbers.`;
    const list = this.#figure.querySelector('dl');
    for (const [index, line] of chart.lines.entries()) list.append(this.#value(line, index));
    if (chart.warning) this.#warning.textContent = chart.warning.text;
  }

  get element() {
    return this.#figure;
  }

  /** Whether there is something to warn of. */
  get isBad() {
    const { warning } = this.#chart;
    return warning !== undefined && this.#samples.lately(WARNING_MS, warning.when);
  }

  /** What that is called. */
  get trouble() {
    return this.#chart.warning?.short;
  }

  get #drawn() {
    return this.#chart.lines.filter(line => !line.undrawn);
  }

  get #warning() {
    return this.#figure.querySelector('.warning');
  }

  /** Begins to draw: the figure has to be in the page, which says how wide it is. */
  draw() {
    const plot = this.#figure.querySelector('.plot');
    this.#tip = document.createElement('div');
    this.#tip.className = 'tip';
    this.#tip.hidden = true;
    this.#plot = new uPlot(this.#options(plot.clientWidth), this.#columns(), plot);
    plot.append(this.#tip);
    new ResizeObserver(() => {
      if (plot.clientWidth > 0) this.#plot.setSize({ width: plot.clientWidth, height: HEIGHT });
    }).observe(plot);
  }

  /** Shows the samples as they are now. */
  render() {
    const newest = this.#samples.newest;
    if (!newest) return;
    for (const line of this.#chart.lines) {
      const value = this.#values.get(line.name);
      value.textContent = (line.write ?? this.#chart.write)(line.read(newest));
      value.classList.toggle('bad', line.bad?.(newest) ?? false);
    }
    this.#warning.hidden = !this.isBad;
    this.#plot.setData(this.#columns(), false);
    const [min, max] = this.#samples.span;
    this.#plot.batch(() => {
      this.#plot.setScale('x', { min, max });
      for (const scale of ['left', 'right']) if (this.#plot.scales[scale]) this.#rescale(scale);
    });
  }

  /** Draws again in the colours of now. */
  recolour() {
    this.#plot.redraw(false, true);
  }

  #columns() {
    return this.#samples.columns(
      this.#drawn.map(line => line.read),
      GAP_MS,
    );
  }

  #rescale(scale) {
    let highest = 0;
    let least = this.#chart.least;
    this.#drawn.forEach((line, index) => {
      if ((line.right ? 'right' : 'left') !== scale) return;
      least = line.least ?? least;
      for (const value of this.#plot.data[index + 1]) highest = Math.max(highest, value ?? 0);
    });
    // From zero up, so that a chart never makes much of little; and never of nothing.
    this.#plot.setScale(scale, { min: 0, max: Math.max(highest * 1.15, least) });
  }

  #value(line, index) {
    const group = document.createElement('div');
    const label = document.createElement('dt');
    label.textContent = line.label;
    if (!line.undrawn) label.dataset.line = index;
    const value = document.createElement('dd');
    value.dataset.value = line.name;
    value.textContent = '–';
    this.#values.set(line.name, value);
    group.append(label, value);
    return group;
  }

  #options(width) {
    const grid = { stroke: () => colour('--line'), width: 1 };
    const axis = {
      stroke: () => colour('--muted'),
      font: '12px system-ui, sans-serif',
      grid,
      ticks: { show: false },
    };
    const right = this.#drawn.some(line => line.right);
    const values = { values: (_, splits) => splits.map(brief), size: 46, gap: 4, space: 36 };
    if (this.#chart.steps) values.incrs = this.#chart.steps;
    const scale = { auto: false, range: (_, min, max) => [min ?? 0, max ?? 1] };
    return {
      width,
      height: HEIGHT,
      padding: [10, right ? 0 : 12, 0, 0],
      legend: { show: false },
      cursor: {
        sync: { key: sync.key, setSeries: false },
        drag: { setScale: false, x: false, y: false },
        y: false,
        points: { size: 7 },
      },
      scales: { x: { time: true, auto: false }, left: scale, ...(right && { right: scale }) },
      axes: [
        {
          ...axis,
          grid: { show: false },
          values: hours,
          incrs: [60, 120, 300, 600],
          size: 24,
          gap: 2,
          space: 70,
        },
        { ...axis, ...values, scale: 'left' },
        ...(right ? [{ ...axis, ...values, scale: 'right', side: 1, grid: { show: false } }] : []),
      ],
      series: [
        {},
        ...this.#drawn.map((line, index) => ({
          label: line.label,
          scale: line.right ? 'right' : 'left',
          stroke: () => colour(`--line-${index}`),
          width: 1.75,
          ...(index > 0 && { dash: index === 1 ? [6, 3] : [2, 3] }),
          ...(index === 0 && { fill: () => colour('--fill-0') }),
          points: { show: false },
        })),
      ],
      hooks: { setCursor: [plot => this.#point(plot)] },
    };
  }

  /** Says what the lines are at where the pointer is. */
  #point(plot) {
    const { idx, left } = plot.cursor;
    const times = plot.data[0];
    this.#tip.hidden = idx == null || left < 0 || plot.data[1]?.[idx] == null;
    if (this.#tip.hidden) return;
    const written = this.#drawn.map((line, index) => {
      const write = line.write ?? this.#chart.write;
      return `${line.label}: ${write(plot.data[index + 1][idx])}`;
    });
    this.#tip.textContent = [clock(times[idx] * 1000), ...written].join('\n');
    const half = this.#tip.offsetWidth / 2;
    const at = plot.over.offsetLeft + left;
    this.#tip.style.left = `${Math.min(plot.width - half, Math.max(half, at))}px`;
  }
}
