// The clock that the driver reads, too.

/** Nanoseconds of CLOCK_MONOTONIC. */
export const monotonic = process.versions.bun ? await ofBun() : process.hrtime.bigint;

/**
 * Bun's `hrtime` counts from the start of the process; the distance is found once, by asking the
 * system.
 */
async function ofBun() {
  const { dlopen, FFIType, ptr } = await import('bun:ffi');
  const { symbols } = dlopen(process.platform === 'darwin' ? 'libc.dylib' : 'libc.so.6', {
    clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
  });
  const time = new BigInt64Array(2);
  const CLOCK_MONOTONIC = 1;
  symbols.clock_gettime(CLOCK_MONOTONIC, ptr(time));
  const before = process.hrtime.bigint();
  symbols.clock_gettime(CLOCK_MONOTONIC, ptr(time));
  const distance = time[0] * 1_000_000_000n + time[1] - before;
  return () => process.hrtime.bigint() + distance;
}
