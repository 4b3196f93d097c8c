// What is counted, in every process alike, and added up by the conductor.

/** Enough to look into; a fault that repeats itself says nothing new. */
const EXAMPLES = 5;

export class Tally {
  /** Updates that arrived, snapshots aside. */
  delivered = 0;
  /** Updates that a client which reads has not got. */
  missing = 0;
  /** Updates that arrived twice, or behind a newer one. */
  duplicates = 0;
  /** Updates that gave way to newer ones while a client did not read. */
  conflated = 0;
  /** Connections that came back and got all that they had missed; and where that was held no more. */
  recovered = 0;
  beyondRecovery = 0;
  /** What was done to the hub and to clients, by kind. */
  injected = {};
  /** How the hub ended connections, by code and reason. */
  ended = {};
  /** What must not be, with examples. */
  wrong = {};

  inject(kind, count = 1) {
    this.injected[kind] = (this.injected[kind] ?? 0) + count;
  }

  end(how) {
    this.ended[how] = (this.ended[how] ?? 0) + 1;
  }

  fault(what, example) {
    this.wrong[what] ??= { count: 0, examples: [] };
    const { examples } = this.wrong[what];
    this.wrong[what].count += 1;
    if (examples.length < EXAMPLES) examples.push(example);
  }

  /** Adds another process' counts, as they came over the line. */
  add(other) {
    for (const [name, value] of Object.entries(other)) {
      if (typeof value === 'number') this[name] += value;
    }
    for (const by of ['injected', 'ended']) {
      for (const [kind, count] of Object.entries(other[by])) {
        this[by][kind] = (this[by][kind] ?? 0) + count;
      }
    }
    for (const [what, { count, examples }] of Object.entries(other.wrong)) {
      this.wrong[what] ??= { count: 0, examples: [] };
      const own = this.wrong[what];
      own.count += count;
      own.examples.push(...examples.slice(0, EXAMPLES - own.examples.length));
    }
    return this;
  }
}
