// Decisions that a seed repeats.

/** mulberry32: small, and good enough to decide by. */
export function randomOf(seed) {
  let state = seed >>> 0;
  function next() {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return {
    /** True once in so many. */
    oneIn: many => next() * many < 1,
    /** An integer, both ends included. */
    integer: (min, max) => min + Math.floor(next() * (max - min + 1)),
    /** One of a list. */
    pick: list => list[Math.floor(next() * list.length)],
    /** A key of `{ key: weight }`. */
    weighted(weights) {
      const entries = Object.entries(weights);
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      return entries.find(([, weight]) => {
        left -= weight;
        return left < 0;
      })[0];
    },
  };
}
