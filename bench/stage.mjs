// One peer with the driver's clients before it.

import { Child } from './child.mjs';
import { DRIVER } from './peers.mjs';
import { cpu, resident, shareOfOthers } from './process.mjs';

export class Stage {
  #server;
  #driver;

  /** Starts the peer's server and the driver; whoever opens a stage closes it. */
  static async open(peer, { rooms = 1 }) {
    const stage = new Stage();
    stage.#server = await Child.start(peer.command());
    try {
      stage.version = stage.#server.hello.version;
      stage.#driver = await Child.start([DRIVER]);
      stage.descriptors = stage.#driver.hello.descriptors;
      const { port } = stage.#server.hello;
      const { dialect, certificate } = peer;
      await stage.#driver.ask('target', { port, dialect, certificate, rooms });
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  async close() {
    await this.#driver?.end();
    await this.#server.end();
  }

  /** Brings the number of joined clients up to `count`, 64 on their way at a time. */
  async connect(count) {
    const { joined, failed, failure } = await this.#driver.ask('connect', { count, seconds: 120 });
    if (joined !== count) {
      throw new Error(`${joined} of ${count} clients joined, ${failed} failed: ${failure}`);
    }
  }

  async disconnect() {
    await this.#driver.ask('close');
  }

  /**
   * Runs a load and waits until every client has every update of its room.
   * Returns the wall time of the calls and the deliveries' latencies, in nanoseconds.
   */
  async deliver({ rooms = 1, updates, intervalMs = 0 }) {
    await this.#driver.ask('expect');
    const { calls } = await this.#server.ask('run', { rooms, updates, intervalMs });
    const delivered = await this.#driver.ask('delivered', { each: updates / rooms, seconds: 60 });
    const { lost, wrong, failed, failure } = delivered;
    if (lost || wrong || failed) {
      throw new Error(
        `invalid: ${lost} updates lost, ${wrong} wrong, ${failed} clients: ${failure}`,
      );
    }
    return { calls, ...delivered };
  }

  /** What `work` costs the server, in nanoseconds of CPU: `{ all, main }`. */
  async spend(work) {
    const before = cpu(this.#server.pid);
    await work();
    const after = cpu(this.#server.pid);
    return { all: after.all - before.all, main: after.main - before.main };
  }

  /** The share of the machine, in percent, that neither server nor driver had during `work`. */
  others(work) {
    return shareOfOthers([this.#server.pid, this.#driver.pid], work);
  }

  /** Milliseconds of the loop's longest stall during `work`. */
  async stall(work) {
    await this.#server.ask('watch');
    await work();
    return (await this.#server.ask('unwatch')).stallMs;
  }

  /** Bytes of the server's memory, less what its engine holds unused. */
  async memory() {
    const { bytes } = await this.#server.ask('unused');
    return resident(this.#server.pid) - bytes;
  }
}
