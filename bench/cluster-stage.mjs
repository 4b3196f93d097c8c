// Two processes of one peer with a Redis between them, and clients before each. What is called in
// the first, *here*, is delivered in the second, *there*. A peer that is of no cluster is one
// process, with its clients here.

import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from './child.mjs';
import { DRIVER, peers } from './peers.mjs';
import { cpu, shareOfOthers, threadCpu } from './process.mjs';
import { startRedis } from './redis.mjs';

/** As the kernel cuts it. */
const CLUSTER_THREAD = 'roomcast-cluster'.slice(0, 15);
const SETTLED_WITHIN_MS = 20_000;

export class ClusterStage {
  #redis;
  #here;
  #there;

  /**
   * Starts all of it; whoever opens a stage closes it. `beside` names a peer that is to be measured
   * in turn with this one: it has a stage of its own, `beside` of this.
   */
  static async open(peer, { rooms = 1, beside }) {
    const stage = new ClusterStage();
    try {
      if (beside) {
        const other = peers.find(({ name }) => name === beside);
        stage.beside = await ClusterStage.open(other, { rooms });
      }
      if (peer.cluster) stage.#redis = await startRedis();
      const command = peer.command(stage.#redis?.url);
      stage.#here = await side(peer, command, rooms);
      if (peer.cluster) stage.#there = await side(peer, command, rooms);
      stage.version = stage.#here.server.hello.version;
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async close() {
    for (const { server, driver } of this.#sides) {
      await driver.end();
      await server.end();
    }
    await this.#redis?.stop();
    await this.beside?.close();
  }

  get #sides() {
    return [this.#here, this.#there].filter(Boolean);
  }

  /** Where it is looked whether updates have come. */
  get #far() {
    return this.#there ?? this.#here;
  }

  /** Brings clients into the rooms of either process, and waits until updates reach all of them. */
  async connect({ here, there }, rooms = 1) {
    const counts = this.#there ? [here, there] : [here];
    for (const [index, side] of this.#sides.entries()) {
      const count = counts[index];
      if (count === 0) continue;
      const { joined, failed, failure } = await side.driver.ask('connect', { count, seconds: 120 });
      side.clients = joined;
      if (joined !== count) {
        throw new Error(`${joined} of ${count} clients joined, ${failed} failed: ${failure}`);
      }
    }
    await this.#settle(rooms);
  }

  /** Some subscribe when a client joins, and do not wait for that. */
  async #settle(rooms) {
    const end = performance.now() + SETTLED_WITHIN_MS;
    for (;;) {
      const { delivered } = await this.#round({ rooms, updates: rooms }, 2);
      if (delivered.every(({ lost }) => lost === 0)) return;
      if (performance.now() > end) throw new Error('updates do not get to the other process');
      await sleep(100);
    }
  }

  /**
   * Runs a load here and waits until every client of either process has every update of its room.
   * Returns the wall time of the calls and the latencies of those there, in nanoseconds.
   */
  async deliver(load) {
    const { calls, delivered } = await this.#round(load, 60);
    for (const { lost, wrong, failed, failure } of delivered) {
      if (lost || wrong || failed) {
        throw new Error(
          `invalid: ${lost} updates lost, ${wrong} wrong, ${failed} clients: ${failure}`,
        );
      }
    }
    return { calls, ...delivered.at(-1) };
  }

  async #round({ rooms = 1, updates, intervalMs = 0 }, seconds) {
    const sides = this.#sides.filter(({ clients }) => clients > 0);
    for (const { driver } of sides) await driver.ask('expect');
    const { calls } = await this.#here.server.ask('run', { rooms, updates, intervalMs });
    const delivered = [];
    for (const { driver } of sides) {
      delivered.push(await driver.ask('delivered', { each: updates / rooms, seconds }));
    }
    return { calls, delivered };
  }

  /** The load without its updates: what the loop itself costs. */
  async idle({ updates, intervalMs = 0 }) {
    await this.#here.server.ask('run', { updates, intervalMs, idle: true });
  }

  /**
   * Sends as long as fewer than `window` updates are on their way to there, for so many seconds.
   * Returns how many were delivered and how many left out where too much waited, the nanoseconds
   * from the first call to the last delivery, and those of a delivery in the middle.
   */
  async flow({ rooms, window, seconds }) {
    const { server } = this.#here;
    const { driver } = this.#far;
    const { port } = await server.ask('flowPort');
    await driver.ask('expect', { progress: port, every: Math.ceil(window / 16) });
    const { updates } = await server.ask('flow', { rooms, window, seconds });
    const came = await driver.ask('delivered', { each: updates / rooms, seconds: 10 });
    const { messages, passed, spanNs, p50, wrong, failed, failure } = came;
    if (passed < updates || wrong || failed) {
      throw new Error(
        `invalid: ${updates - passed} of ${updates} updates lost, ${wrong} wrong, ${failed} clients: ${failure}`,
      );
    }
    return { messages, skipped: updates - messages, spanNs, p50 };
  }

  /** What `work` costs each part of it, in nanoseconds of CPU. */
  async spend(work) {
    const before = this.#spent();
    await work();
    const after = this.#spent();
    return Object.fromEntries(
      Object.entries(after)
        .filter(([part, value]) => value !== undefined && before[part] !== undefined)
        .map(([part, value]) => [part, value - before[part]]),
    );
  }

  #spent() {
    const here = this.#here.server.pid;
    const there = this.#there?.server.pid;
    return {
      here: cpu(here).all,
      hereMain: cpu(here).main,
      hereCluster: threadCpu(here, CLUSTER_THREAD),
      there: there && cpu(there).all,
      thereCluster: there && threadCpu(there, CLUSTER_THREAD),
      redis: this.#redis && cpu(this.#redis.pid).all,
      clients: cpu(this.#far.driver.pid).all,
    };
  }

  /** The share of the machine, in percent, that nothing of this had during `work`. */
  others(work) {
    return shareOfOthers(this.#pids, work);
  }

  get #pids() {
    const pids = this.#sides.flatMap(({ server, driver }) => [server.pid, driver.pid]);
    return [...pids, ...(this.#redis ? [this.#redis.pid] : []), ...(this.beside?.#pids ?? [])];
  }
}

/** A process of the peer, and its clients. */
async function side(peer, command, rooms) {
  const server = await Child.start(command);
  try {
    const driver = await Child.start([DRIVER]);
    const { dialect, certificate } = peer;
    await driver.ask('target', { port: server.hello.port, dialect, certificate, rooms });
    return { server, driver, clients: 0 };
  } catch (error) {
    await server.end();
    throw error;
  }
}
