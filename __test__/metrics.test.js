'use strict';

// The Prometheus text: well-formed, complete, right, and without a room, user or address in any
// label.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { connect, dial } = require('./support/client');
const { openRaw, upgradeRequest } = require('./support/raw');
const { startServer } = require('./support/server');
const { until } = require('./support/wait');

const TYPES = {
  connections: 'gauge',
  rooms: 'gauge',
  memberships: 'gauge',
  buffered_bytes: 'gauge',
  slow_clients: 'gauge',
  connections_total: 'counter',
  disconnections_total: 'counter',
  refusals_total: 'counter',
  limits_total: 'counter',
  messages_received_total: 'counter',
  updates_total: 'counter',
  deliveries_total: 'counter',
  sent_bytes_total: 'counter',
  conflated_total: 'counter',
  hook_failures_total: 'counter',
  cluster_reconnects_total: 'counter',
  cluster_dropped_total: 'counter',
  cluster_up: 'gauge',
  fanout_seconds: 'histogram',
};

const LABELS = {
  disconnections_total: ['code'],
  refusals_total: ['reason'],
  limits_total: ['limit'],
  messages_received_total: ['action'],
  hook_failures_total: ['hook'],
  fanout_seconds_bucket: ['le'],
};

/** Reads the text format: `{ types: { name: type }, samples: [{ name, labels, value }] }`. */
function parse(text) {
  assert.ok(text.endsWith('\n'));
  const types = {};
  const samples = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const type = /^# TYPE (\S+) (gauge|counter|histogram)$/.exec(line);
    if (type) {
      assert.equal(types[type[1]], undefined, `two types: ${line}`);
      types[type[1]] = type[2];
    } else if (!/^# HELP \S+ \S.*$/.test(line)) {
      const sample = /^([a-z_]+)(?:\{([^{}]*)\})? (\S+)$/.exec(line);
      assert.ok(sample, `no line of the text format: '${line}'`);
      const labels = {};
      for (const pair of sample[2]?.split(',') ?? []) {
        const [, label, value] = /^([a-z_]+)="([^"\\]*)"$/.exec(pair);
        labels[label] = value;
      }
      const value = Number(sample[3]);
      assert.ok(Number.isFinite(value), line);
      samples.push({ name: sample[1], labels, value });
    }
  }
  return { types, samples };
}

/** The value of one sample, 0 where there is none yet. */
function sampleOf(hub, name, labels = {}) {
  const found = parse(hub.metrics()).samples.filter(
    sample =>
      sample.name === `roomcast_${name}` &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  assert.ok(found.length <= 1, `several samples of ${name}`);
  return found[0]?.value ?? 0;
}

describe('metrics()', () => {
  it('has every metric with its type and its labels, and no other', async t => {
    const server = await startServer(t, {
      authenticate: request => request.url.split('=')[1] || null,
    });
    const client = await connect(server, { userId: 'secret-user' });
    await client.join('secret-room');
    await client.ask({ action: 'secret-action' });
    server.hub.broadcastParticipantCount('secret-room', 1, 2);
    await client.next();
    await dial(server, { userId: null, query: '?u=' }).closed;

    const text = server.hub.metrics();
    const { types, samples } = parse(text);
    for (const [name, type] of Object.entries(types)) {
      assert.equal(type, TYPES[name.replace(/^roomcast_/, '')], name);
    }
    for (const { name, labels } of samples) {
      const short = name.replace(/^roomcast_/, '');
      const family = short.replace(/_(bucket|sum|count)$/, '');
      assert.ok(name.startsWith('roomcast_') && TYPES[family] !== undefined, name);
      assert.deepEqual(Object.keys(labels), LABELS[short] ?? [], name);
    }
    for (const name of Object.keys(TYPES)) {
      // Those of the cluster are there where there is one.
      if (name.startsWith('cluster_')) continue;
      assert.equal(types[`roomcast_${name}`], TYPES[name], `${name} is missing`);
    }
    assert.doesNotMatch(text, /secret|127\.0\.0\.1/);
  });

  it('counts', async t => {
    const server = await startServer(t);
    const { hub } = server;
    const clients = [await connect(server), await connect(server)];
    for (const client of clients) await client.join(1);
    await clients[0].join(2);
    const sent = sampleOf(hub, 'sent_bytes_total');
    for (let count = 0; count < 5; count += 1) hub.broadcastParticipantCount(1, count, 9);
    for (const client of clients) {
      await client.take(5);
      await client.settle();
    }
    assert.equal(sampleOf(hub, 'connections'), 2);
    assert.equal(sampleOf(hub, 'connections_total'), 2);
    assert.equal(sampleOf(hub, 'memberships'), 3);
    assert.equal(sampleOf(hub, 'updates_total'), 5);
    await until(() => sampleOf(hub, 'deliveries_total') === 10, 'ten deliveries');
    assert.equal(sampleOf(hub, 'messages_received_total', { action: 'JOIN_ROOM' }), 3);
    assert.equal(sampleOf(hub, 'messages_received_total', { action: 'PING' }), 2);
    const bytes = clients[0].received
      .filter(text => text.includes('"ROOM_UPDATE"'))
      .reduce((sum, text) => sum + 4 + Buffer.byteLength(text), 0);
    await until(() => sampleOf(hub, 'sent_bytes_total') - sent >= 2 * bytes, 'their bytes');
    await until(() => sampleOf(hub, 'fanout_seconds_count') > 0, 'a fan-out');

    await clients[0].close(4000);
    await until(() => sampleOf(hub, 'connections') === 1, 'the end of one');
    assert.equal(sampleOf(hub, 'memberships'), 1);
    assert.equal(sampleOf(hub, 'connections_total'), 2);
  });

  it('counts refusals', async t => {
    const server = await startServer(t, { allowedOrigins: ['http://page.example'] });
    const raw = await openRaw(server);
    raw.write(upgradeRequest({ headers: { Origin: 'http://evil.example' } }));
    await raw.response();
    const { samples } = parse(server.hub.metrics());
    const refusals = samples.filter(({ name }) => name === 'roomcast_refusals_total');
    assert.equal(
      refusals.reduce((sum, { value }) => sum + value, 0),
      1,
    );
  });

  it('has a histogram whose buckets grow up to its count', async t => {
    const server = await startServer(t);
    const client = await connect(server);
    await client.join(1);
    for (let count = 0; count < 10; count += 1) server.hub.broadcastParticipantCount(1, count, 9);
    await client.take(10);
    const { samples } = parse(server.hub.metrics().replaceAll('"+Inf"', '"Infinity"'));
    const buckets = samples.filter(({ name }) => name === 'roomcast_fanout_seconds_bucket');
    assert.ok(buckets.length > 1);
    let last = { le: Number.NEGATIVE_INFINITY, value: 0 };
    for (const { labels, value } of buckets) {
      const le = Number(labels.le);
      assert.ok(le > last.le && value >= last.value);
      last = { le, value };
    }
    assert.equal(last.le, Number.POSITIVE_INFINITY);
    const count = samples.find(({ name }) => name === 'roomcast_fanout_seconds_count');
    assert.equal(last.value, count.value);
  });
});
