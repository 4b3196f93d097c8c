// What is measured: every figure's name, unit, and where it comes from.

export const figures = {
  cpu: { title: 'CPU per message', unit: 'µs' },
  cpuMain: { title: '… of the main thread', unit: 'µs' },
  p50: { title: 'delivery p50', unit: 'ms' },
  p99: { title: 'delivery p99', unit: 'ms' },
  max: { title: 'delivery max', unit: 'ms' },
  call: { title: 'call, median', unit: 'µs' },
  callP99: { title: 'call, p99', unit: 'µs' },
  stall: { title: 'longest stall', unit: 'ms' },
  accept: { title: 'CPU per connection', unit: 'µs' },
  acceptMain: { title: '… of the main thread', unit: 'µs' },
  perClient: { title: 'per client', unit: 'KiB' },
  start: { title: 'at the start', unit: 'MiB' },
  peak: { title: 'with all', unit: 'MiB' },
  closed: { title: 'closed again', unit: 'MiB' },
  closedRatio: { title: 'of the start', unit: '' },
  closedAfter: { title: 'after', unit: 's' },
  carried: { title: 'delivered', unit: 'updates/s' },
  window: { title: 'window', unit: 'updates' },
  skipped: { title: 'left out', unit: '%' },
  sparse: { title: 'delivered, window of 1 024', unit: 'updates/s' },
  cpuHere: { title: 'CPU per update here', unit: 'µs' },
  cpuHereMain: { title: '… of the main thread', unit: 'µs' },
  cpuHereCluster: { title: '… of the cluster thread', unit: 'µs' },
  cpuThere: { title: 'CPU per update there', unit: 'µs' },
  cpuThereCluster: { title: '… of the cluster thread', unit: 'µs' },
  cpuRedis: { title: 'Redis', unit: 'µs' },
  cpuClients: { title: 'the clients there', unit: 'µs' },
  paced: { title: 'CPU per update, 100 a second', unit: 'µs' },
  bursts: { title: 'CPU per update, bursts of 200', unit: 'µs' },
  others: { title: 'others had', unit: '% of the machine' },
};

/** Three digits, as people read them. */
export function show(value) {
  if (value === undefined || value === null) return '';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
  if (Math.abs(value) < 0.0005) return '0';
  return String(Number(value.toPrecision(3)));
}
