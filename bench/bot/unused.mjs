// What a JavaScript engine has taken from the system but does not use: its young generation grows
// to its cap under any load and stays there, and that says nothing of the connections.

/** Bytes, after collecting twice: what the first collection finalises, the second frees. */
export async function unusedHeap() {
  if (process.versions.bun) {
    const { heapStats } = await import('bun:jsc');
    Bun.gc(true);
    Bun.gc(true);
    const { heapCapacity, heapSize } = heapStats();
    return Math.max(0, heapCapacity - heapSize);
  }
  globalThis.gc();
  globalThis.gc();
  const { heapTotal, heapUsed } = process.memoryUsage();
  return heapTotal - heapUsed;
}
