'use strict';

// Bots in processes of their own, all on one Redis.

const { fork } = require('node:child_process');
const path = require('node:path');
const { directory } = require('./program');
const { Arrivals } = require('./queue');
const { startRedis } = require('./redis');
const { sampleOf } = require('./sample');
const { share } = require('./suite');
const { failsafe, until } = require('./wait');

const program = path.join(directory, 'cluster-member.js');

/** A bot process. `connect` and `dial` take it like what `startServer` gives. */
class Member {
  #child;
  #exit;
  #lastId = 0;
  #asked = new Map();
  #states = new Arrivals();
  #errors = new Arrivals();
  #listening;

  /** Clients that the test has connected, ended with it. */
  clients = [];
  /** The lines of its log: `{ level, message, fields }`. */
  log = [];

  constructor({ env, ...options }) {
    this.#child = fork(program, [JSON.stringify(options)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.output = '';
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        this.output += text;
      });
    }
    let listening;
    this.#listening = new Promise((resolve, reject) => {
      listening = { resolve, reject };
    });
    this.#listening.catch(() => {});
    this.#child.on('message', message => {
      if ('port' in message) listening.resolve(message.port);
      else this.#take(message);
    });
    this.#exit = new Promise(resolve => {
      this.#child.once('close', (code, signal) => {
        const why = `the process has ended with ${code ?? signal}: ${this.output}`;
        listening.reject(new Error(why));
        for (const { reject } of this.#asked.values()) reject(new Error(why));
        this.#asked.clear();
        this.#states.end(why);
        this.#errors.end(why);
        resolve({ code, signal });
      });
    });
  }

  async listening() {
    this.port = await failsafe(this.#listening, () => `a bot that listens: ${this.output}`);
    this.url = `ws://127.0.0.1:${this.port}/ws/rooms`;
  }

  get pid() {
    return this.#child.pid;
  }

  /** Every state that its `cluster` events have told. */
  get states() {
    return this.#states.all;
  }

  /** The state of its next `cluster` event. */
  nextState() {
    return this.#states.next();
  }

  /** Every error that its `error` events have told, as `{ name, message, code }`. */
  get errors() {
    return this.#errors.all;
  }

  nextError() {
    return this.#errors.next();
  }

  /** What a method of its hub gives. */
  call(method, ...args) {
    return this.#ask({ method, args });
  }

  /** What the calls of a method give, one list of arguments each, made without a pause in between. */
  callEach(method, each) {
    return this.#ask({ method, each });
  }

  /** What one of the program's own gives (programs/cluster-member.js). */
  own(name, ...args) {
    return this.#ask({ own: name, args });
  }

  /** A sample of its metrics, as `sampleOf` reads it. */
  async sample(name) {
    const text = await this.call('metrics');
    return sampleOf({ metrics: () => text }, name);
  }

  /** `{ code, signal }` once the process has ended. */
  get exited() {
    return failsafe(this.#exit, () => `the end of a bot: ${this.output}`);
  }

  /**
   * Closes the hub and its server; `{ code, signal }` of the process, which has to end by itself.
   *
   * @param {object} [closing] for `close`
   * @param {[string, ...unknown[]][]} [last] methods of the hub with their arguments, called right
   *   before and in the same turn
   */
  async stop(closing = {}, last = []) {
    await this.own('stop', closing, last);
    return this.exited;
  }

  /** Ends the process without a word. */
  kill() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
    }
    return this.exited;
  }

  #ask(request) {
    this.#lastId += 1;
    const id = this.#lastId;
    const answer = new Promise((resolve, reject) => {
      if (!this.#child.connected) reject(new Error(`the process has ended: ${this.output}`));
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, ...request }, error => error && reject(error));
    });
    return failsafe(answer, () => `the answer to ${JSON.stringify(request)}`);
  }

  #take({ id, value, error, state, line }) {
    const asked = this.#asked.get(id);
    if (asked) {
      this.#asked.delete(id);
      if (error) asked.reject(Object.assign(new Error(error.message), error));
      else asked.resolve(value);
    } else if (state) this.#states.push(state);
    else if (line) this.log.push(line);
    else if (error) this.#errors.push(error);
  }
}

/**
 * Starts a bot in a process of its own, which is killed when the test is over.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {object} options of its hub, as JSON has them; `starts` is the `cluster` state that it has to
 *   tell first, before the test goes on, or null where none is waited for; `env` is what its
 *   environment has beside this one's
 * @returns {Promise<Member>}
 */
async function startMember(t, { starts = 'up', ...options }) {
  const member = new Member({ threads: 2, ...options });
  t.after(async () => {
    for (const client of member.clients) client.terminate();
    await member.kill();
  });
  await member.listening();
  if (starts !== null) {
    const state = await member.nextState();
    if (state !== starts) throw new Error(`not ${starts} but ${state} at the start`);
  }
  return member;
}

/**
 * Starts so many bots on one Redis.
 *
 * @param {{ after(ending: () => unknown): void }} t
 * @param {number} size
 * @param {{ url: string }} redis from `startRedis` or `startRedisCluster`
 * @param {object} [options] as for `startMember`, `prefix` being the cluster's
 * @returns {Promise<Member[]>}
 */
function startFleet(t, size, { url }, { prefix, ...options } = {}) {
  const cluster = { url, ...(prefix !== undefined && { prefix }) };
  return Promise.all(Array.from({ length: size }, () => startMember(t, { cluster, ...options })));
}

/**
 * One Redis and so many bots for a whole suite, whose tests use different rooms.
 *
 * @param {number} size
 * @param {object} [options] as for `startFleet`
 * @returns {{ redis: import('./redis').Redis, members: Member[] }} filled before the first test
 */
function shareFleet(size, options) {
  const shared = {};
  share(async t => {
    shared.redis = await startRedis(t);
    shared.members = await startFleet(t, size, shared.redis, options);
  });
  return shared;
}

/** Waits until a hub counts so many clients of a room over all processes. */
function untilCounted(member, roomId, expected) {
  let count;
  return until(
    async () => {
      count = await member.call('getClusterClientCount', roomId);
      return count === expected;
    },
    () => `${expected} clients of ${roomId}, there are ${count}`,
  );
}

module.exports = { Member, shareFleet, startFleet, startMember, untilCounted };
