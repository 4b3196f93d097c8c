// The monitor: asks the bot once a second how it is, and shows that.

import { Chart } from './chart.mjs';
import { CHARTS } from './charts.mjs';
import { showNumbers, showThreads } from './numbers.mjs';
import { Samples } from './samples.mjs';
import { clock } from './units.mjs';

const EVERY_MS = 1_000;
const PATIENCE_MS = 5_000;
/** The tables change more slowly: nobody reads numbers that run. */
const TABLES_EVERY = 5;

const $ = id => document.getElementById(id);
const samples = new Samples();
const charts = CHARTS.map(chart => new Chart($('chart'), chart, samples));
let answeredAt;
let rounds = 0;
let timer;
let asking = false;

for (const chart of charts) $('charts').append(chart.element);
for (const chart of charts) chart.draw();

function say(element, words) {
  // Said again, a screen reader would say it again too.
  if (element.textContent !== words) element.textContent = words;
}

function showAnswers(state, words) {
  $('answers').dataset.state = state;
  document.body.classList.toggle('stale', state === 'offline');
  say($('answers'), words);
}

function showVerdict() {
  const warnings = charts.filter(chart => chart.isBad);
  $('verdict').dataset.verdict = warnings.length > 0 ? 'bad' : 'good';
  const names = warnings.map(chart => chart.trouble).join(', ');
  say($('verdict'), warnings.length > 0 ? `Look at: ${names}` : 'All is well');
}

function render() {
  for (const chart of charts) chart.render();
  if (!samples.newest) return;
  showVerdict();
  if (rounds % TABLES_EVERY === 0) {
    showNumbers($('numbers').tBodies[0], samples);
    showThreads($('threads').tBodies[0], samples.newest);
  }
  rounds += 1;
}

async function ask() {
  const since = samples.newestAt;
  const response = await fetch(`/api/monitor${since ? `?since=${since}` : ''}`, {
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (!response.ok) throw new Error(`The bot answered ${response.status}`);
  return (await response.json()).samples;
}

async function round() {
  if (asking) return;
  clearTimeout(timer);
  asking = true;
  try {
    samples.add(await ask());
    answeredAt = Date.now();
    showAnswers('live', 'Live');
    render();
  } catch {
    const since = answeredAt ? `No answer since ${clock(answeredAt)}` : 'The bot does not answer';
    showAnswers('offline', since);
  }
  asking = false;
  // A tab that nobody looks at asks nothing.
  if (document.visibilityState === 'visible') timer = setTimeout(round, EVERY_MS);
}

document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') round();
  else clearTimeout(timer);
});
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.recolour();
});

round();
