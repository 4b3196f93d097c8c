// Numbers for people.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const two = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

/** Three digits are as many as anybody reads at a glance. */
function short(value) {
  const size = Math.abs(value);
  return (size >= 100 ? whole : size >= 10 ? tenth : two).format(value);
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

export const count = value => whole.format(value);
export const rate = value => `${value >= 10 ? whole.format(value) : tenth.format(value)} /s`;
export const milliseconds = value => `${short(value)} ms`;

export function bytes(value) {
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1000 && unit < UNITS.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${short(size)} ${UNITS[unit]}`;
}

/** For an axis: as short as can be. */
export function brief(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${two.format(value / 1e9)}G`;
  if (size >= 1e6) return `${two.format(value / 1e6)}M`;
  if (size >= 1e3) return `${two.format(value / 1e3)}k`;
  return two.format(value);
}

export const clock = at =>
  new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
