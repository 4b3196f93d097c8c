// The bot's samples of the last ten minutes, as columns.

const WINDOW_MS = 10 * 60_000;
/** What charts show at least: those of a bot that has just started are no narrow strip. */
const LEAST_MS = 2 * 60_000;

export class Samples {
  #samples = [];

  /** When the newest was taken: milliseconds since 1970, undefined where there is none. */
  get newestAt() {
    return this.#samples.at(-1)?.at;
  }

  get newest() {
    return this.#samples.at(-1);
  }

  /** Where the window begins and ends: seconds since 1970, as charts have it. */
  get span() {
    const end = this.newestAt ?? Date.now();
    const begin = Math.min(this.#samples[0]?.at ?? end, end - LEAST_MS);
    return [begin / 1000, end / 1000];
  }

  add(samples) {
    for (const sample of samples) {
      if (sample.at > (this.newestAt ?? 0)) this.#samples.push(sample);
    }
    const oldest = (this.newestAt ?? 0) - WINDOW_MS;
    const first = this.#samples.findIndex(({ at }) => at >= oldest);
    if (first > 0) this.#samples.splice(0, first);
  }

  /**
   * `[times, …values]` of what `reads` read in a sample. Where no samples were taken for longer than
   * `gapMs`, there is a null: nothing is known of that time, and a line would say that there is.
   */
  columns(reads, gapMs) {
    const times = [];
    const columns = reads.map(() => []);
    let before;
    for (const sample of this.#samples) {
      if (before !== undefined && sample.at - before > gapMs) {
        times.push((before + 1) / 1000);
        for (const column of columns) column.push(null);
      }
      times.push(sample.at / 1000);
      for (const [index, read] of reads.entries()) columns[index].push(read(sample));
      before = sample.at;
    }
    return [times, ...columns];
  }

  /** Whether `is` holds for a sample of the last `ms`: what lasts one second is over before it is read. */
  lately(ms, is) {
    return this.#samples.some(sample => sample.at > this.newestAt - ms && is(sample));
  }

  /** `{ mean, highest }` of what `read` reads. */
  summary(read) {
    let sum = 0;
    let highest = 0;
    for (const sample of this.#samples) {
      const value = read(sample);
      sum += value;
      highest = Math.max(highest, value);
    }
    return { mean: sum / Math.max(1, this.#samples.length), highest };
  }
}
