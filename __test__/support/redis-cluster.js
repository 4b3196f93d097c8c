'use strict';

// A Redis Cluster on loopback, each node a process of its own.

const { freePort, prepareRedis } = require('./redis');
const { until } = require('./wait');

/** After so long without an answer a node is taken for dead by the others. */
const NODE_TIMEOUT_MS = 1_000;

const stateOf = async node =>
  Object.fromEntries(
    (await node.cli('CLUSTER', 'INFO')).split(/\r?\n/).map(line => line.split(':')),
  );

/** The nodes of a Redis Cluster. */
class RedisCluster {
  /** @param {import('./redis').Redis[]} nodes the masters first, then the replicas */
  constructor(nodes) {
    this.nodes = nodes;
  }

  /** As `cluster.url` takes it: all of its nodes. */
  get url() {
    const [first, ...others] = this.nodes;
    return [first.url, ...others.map(({ port }) => `127.0.0.1:${port}`)].join(',');
  }

  /** As a node's, sent on to the node that has the key. */
  cli(...args) {
    return this.nodes[0].cli('-c', ...args);
  }

  /** The node that has a key, or a sharded channel. */
  async nodeOf(key) {
    const slot = Number(await this.cli('CLUSTER', 'KEYSLOT', key));
    const lines = (await this.cli('CLUSTER', 'NODES')).split('\n').map(line => line.split(' '));
    const owner = lines.find(([, , flags, , , , , , ...slots]) =>
      slots.some(range => {
        const [first, last = first] = range.split('-').map(Number);
        return flags.includes('master') && first <= slot && slot <= last;
      }),
    );
    const [, port] = owner[1].split('@')[0].split(':');
    return this.nodes.find(node => node.port === Number(port));
  }

  /** Moves the slot of a key to another node with all that is in it, as resharding does. */
  async move(key, to) {
    const from = await this.nodeOf(key);
    const slot = await this.cli('CLUSTER', 'KEYSLOT', key);
    const setSlot = (node, ...how) => node.cli('CLUSTER', 'SETSLOT', slot, ...how);
    const [fromId, toId] = await Promise.all([from, to].map(node => node.cli('CLUSTER', 'MYID')));
    await setSlot(to, 'IMPORTING', fromId);
    await setSlot(from, 'MIGRATING', toId);
    const left = async () =>
      (await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, 100)).split('\n').filter(Boolean);
    for (let keys = await left(); keys.length > 0; keys = await left()) {
      await from.cli('MIGRATE', '127.0.0.1', to.port, '', 0, 10_000, 'KEYS', ...keys);
    }
    // The new owner first: until it knows, the old one sends everybody to it with ASK.
    const others = this.nodes.filter(node => node !== to);
    for (const node of [to, ...others]) await setSlot(node, 'NODE', toId);
  }

  /** The sharded channels of all nodes, sorted. */
  async channels() {
    const ofEach = await Promise.all(this.nodes.map(node => node.channels()));
    return [...new Set(ofEach.flat())].sort();
  }

  /** Waits until every node says that all slots are served. */
  async healthy() {
    await until(async () => {
      const states = await Promise.all(this.nodes.map(stateOf));
      return states.every(
        state =>
          state.cluster_state === 'ok' && Number(state.cluster_known_nodes) === this.nodes.length,
      );
    }, 'a Redis Cluster that is ok');
  }
}

/**
 * Starts a Redis Cluster that is stopped when the test is over.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {{ masters?: number, replicas?: number, password?: string, config?: object }} [options]
 *   `replicas` of each master; the rest as for `startRedis`
 * @returns {Promise<RedisCluster>}
 */
async function startRedisCluster(t, { masters = 3, replicas = 0, config, ...options } = {}) {
  const nodes = [];
  for (let count = masters * (1 + replicas); count > 0; count -= 1) {
    const node = prepareRedis(t, {
      ...options,
      config: {
        'cluster-enabled': 'yes',
        'cluster-config-file': 'nodes.conf',
        'cluster-node-timeout': NODE_TIMEOUT_MS,
        ...(options.password !== undefined && { masterauth: options.password }),
        ...config,
      },
    });
    await node.startAnywhere(async () => ({ 'cluster-port': await freePort() }));
    nodes.push(node);
  }
  const cluster = new RedisCluster(nodes);
  await nodes[0].cli(
    ...['--cluster', 'create', ...nodes.map(({ port }) => `127.0.0.1:${port}`)],
    ...['--cluster-replicas', replicas, '--cluster-yes'],
  );
  await cluster.healthy();
  return cluster;
}

module.exports = { RedisCluster, startRedisCluster };
