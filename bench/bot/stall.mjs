// How long the bot's loop answers nothing: a timer that is due every 5 ms, and how late it comes at
// worst.

const PERIOD = 5;
let timer;
let expected;
let worst;

export function watch() {
  worst = 0;
  expected = performance.now() + PERIOD;
  timer = setInterval(() => {
    const now = performance.now();
    worst = Math.max(worst, now - expected);
    expected = now + PERIOD;
  }, PERIOD);
}

/** Milliseconds of the longest stall since `watch`. */
export function unwatch() {
  clearInterval(timer);
  return Math.max(worst, performance.now() - expected);
}
