'use strict';

const { describe } = require('./describe.js');
const { FAILED, verdictOf } = require('./verdict.js');

const TIMEOUTS = {
  authenticate: 'authenticate did not answer within authTimeout',
  authorizeJoin: 'authorizeJoin did not answer within authTimeout',
};

/**
 * Asks the bot's hooks and tells the hub what they said. A hook may answer at once, later, never,
 * twice, or throw: whatever it does is one verdict and at most one log line.
 */
class Hooks {
  #hub;
  #clients;
  #log;
  #authenticate;
  #authorizeJoin;
  #allowOrigin;
  /** Questions under way, by connection (and number, for joins). @type {Map<number | string, AbortController>} */
  #asked = new Map();

  constructor(hub, clients, log, { authenticate, authorizeJoin, allowOrigin }) {
    this.#hub = hub;
    this.#clients = clients;
    this.#log = log;
    this.#authenticate = authenticate;
    this.#authorizeJoin = authorizeJoin;
    this.#allowOrigin = allowOrigin;
  }

  get authenticates() {
    return this.#authenticate !== undefined;
  }

  /**
   * Whether pages of this origin may connect; undefined where the bot has no function for that.
   *
   * @param {string | undefined} origin
   * @returns {boolean | undefined}
   */
  allows(origin) {
    if (this.#allowOrigin === undefined) return undefined;
    try {
      const allowed = this.#allowOrigin(origin);
      if (typeof allowed === 'boolean') return allowed;
      // Of an async function it is a promise, whose failure is not to reach the process.
      if (isThenable(allowed)) Promise.resolve(allowed).catch(ignore);
      throw new TypeError(`allowedOrigins must answer true or false, got ${describe(allowed)}`);
    } catch (error) {
      this.#failed('allowedOrigins', error);
      return false;
    }
  }

  /**
   * Asks who a request is from, before its connection has an id.
   *
   * @param {object} request
   * @returns {{ verdict: object | null, settle(id: number): void, drop(): void }} The verdict, or
   *   null where it comes later. One of the two has to be called: `settle` once the connection has
   *   its id, `drop` where it gets none.
   */
  authenticate(request) {
    const controller = new AbortController();
    let answer;
    try {
      answer = this.#authenticate(request, { signal: controller.signal });
      if (!isThenable(answer)) return this.#answered(verdictOf(answer));
    } catch (error) {
      this.#failed('authenticate', error);
      return this.#answered(FAILED);
    }
    return {
      verdict: null,
      settle: id => this.#await('authenticate', id, controller, answer, this.#verdictFor(id)),
      drop: () => {
        Promise.resolve(answer).catch(ignore);
        controller.abort();
      },
    };
  }

  /** Asks who a connection of the hub's own listener is. */
  authenticateLate(id, request) {
    const { verdict, settle } = this.authenticate(request);
    settle(id);
    if (verdict !== null) this.#hub.verdict(id, verdict);
  }

  /** Asks whether a client may join. */
  authorizeJoin(event) {
    const { id, ask, roomId } = event;
    const client = this.#clients.of(event);
    const controller = new AbortController();
    const say = kind => this.#hub.joinVerdict(id, ask, kind);
    try {
      const answer = this.#authorizeJoin(client, roomId, { signal: controller.signal });
      if (!isThenable(answer)) return say(joinVerdictOf(answer));
      this.#await('authorizeJoin', `${id}:${ask}`, controller, answer, {
        answered: allowed => say(joinVerdictOf(allowed)),
        failed: () => say('failed'),
      });
    } catch (error) {
      this.#failed('authorizeJoin', error);
      say('failed');
    }
  }

  /** The hub wants no answer any more. */
  abandon({ id, ask, reason }) {
    const key = ask === undefined ? id : `${id}:${ask}`;
    // A verdict that crossed this on its way may have left something of the client here.
    if (ask === undefined) this.#clients.forget(id);
    const controller = this.#asked.get(key);
    if (controller === undefined) return;
    this.#asked.delete(key);
    if (reason !== 'timeout') return controller.abort();
    const hook = ask === undefined ? 'authenticate' : 'authorizeJoin';
    this.#log('warn', TIMEOUTS[hook], { clientId: id });
    controller.abort(new DOMException(TIMEOUTS[hook], 'TimeoutError'));
  }

  /** The hub is gone: nobody is waiting for anything. */
  abandonAll() {
    for (const controller of this.#asked.values()) controller.abort();
    this.#asked.clear();
  }

  #answered({ data, ...verdict }) {
    const known = data !== undefined;
    return {
      verdict: known ? { ...verdict, known } : verdict,
      settle: id => known && this.#clients.keep(id, verdict.userId, data),
      drop: ignore,
    };
  }

  #verdictFor(id) {
    return {
      answered: answer => {
        const { verdict, settle } = this.#answered(verdictOf(answer));
        settle(id);
        this.#hub.verdict(id, verdict);
      },
      failed: () => this.#hub.verdict(id, FAILED),
    };
  }

  #await(hook, key, controller, answer, { answered, failed }) {
    this.#asked.set(key, controller);
    // An answer to a question that was abandoned is of no interest, be it a value or an error.
    const wanted = () => this.#asked.get(key) === controller;
    Promise.resolve(answer)
      .then(value => wanted() && answered(value))
      .catch(error => {
        if (!wanted()) return;
        this.#failed(hook, error);
        failed();
      })
      .catch(error => this.#failed(hook, error))
      .finally(() => wanted() && this.#asked.delete(key));
  }

  #failed(hook, error) {
    this.#log('error', `${hook} failed`, { error });
  }
}

function ignore() {}

function isThenable(answer) {
  return typeof answer?.then === 'function';
}

function joinVerdictOf(allowed) {
  if (allowed === true) return 'ok';
  if (allowed === false) return 'denied';
  throw new TypeError(`authorizeJoin must answer true or false, got ${describe(allowed)}`);
}

module.exports = { Hooks };
