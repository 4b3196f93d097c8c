// Medians and quantiles of short lists.

/** The value below which the share `q` of the values lies (nearest rank). */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))];
}

/** The middle value, or the mean of the two in the middle. */
export function median(values) {
  return (
    (quantile(values, 0.5) +
      quantile(
        values.map(value => -value),
        0.5,
      ) *
        -1) /
    2
  );
}
