'use strict';

const { Clients } = require('./client.js');
const { Handover } = require('./handover.js');
const { Hooks } = require('./hooks.js');
const { Relay } = require('./relay.js');
const { requestOf } = require('./request.js');

/** Everything between Node and one hub: connections go in, the hub's questions and news come out. */
class Link {
  #hub;
  #counts;
  #log;
  #tell;
  #ended;
  #clients;
  #hooks;
  #relay;
  #handover;

  /**
   * @param {import('../binding.js').Hub} hub
   * @param {import('./cluster-counts.js').ClusterCounts} counts
   * @param {object} options Checked ones.
   * @param {ReturnType<import('./log.js').createLog>} log
   * @param {{ tell(event: string, ...args: unknown[]): void, ended(): void }} owner
   */
  constructor(hub, counts, options, log, { tell, ended }) {
    const { authenticate, authorizeJoin, allowedOrigins } = options;
    const allowOrigin = typeof allowedOrigins === 'function' ? allowedOrigins : undefined;
    this.#hub = hub;
    this.#counts = counts;
    this.#log = log;
    this.#tell = tell;
    this.#ended = ended;
    this.#clients = new Clients(hub);
    this.#hooks = new Hooks(hub, this.#clients, log, { authenticate, authorizeJoin, allowOrigin });
    this.#relay = new Relay(hub);
    this.#handover = new Handover(hub, this.#hooks, this.#relay, error => tell('error', error));
  }

  /** Takes in the connection of an upgrade request. */
  upgrade(request, socket, head) {
    this.#handover.upgrade(request, socket, head);
  }

  /** Takes out what waits. */
  deliver() {
    for (const event of this.#hub.drain()) {
      try {
        this.#deliver(event);
      } catch (error) {
        this.#log('error', `event '${event.type}' of the hub failed`, { error });
      }
    }
  }

  #deliver(event) {
    const { type, id } = event;
    switch (type) {
      case 'connection':
      case 'slow':
        return this.#tell(type, this.#clients.of(event));
      case 'join':
      case 'leave':
        return this.#tell(type, this.#clients.of(event), event.roomId);
      case 'disconnect':
        return this.#tell(type, this.#clients.of(event), event.code, event.reason);
      case 'cluster':
        return this.#tell(type, event.state);
      case 'clusterCount':
        return this.#counts.answered(event);
      case 'gone':
        return this.#clients.forget(id);
      case 'authenticate':
        return this.#hooks.authenticateLate(id, requestOf(event));
      case 'authorizeJoin':
        return this.#hooks.authorizeJoin(event);
      case 'origin':
        return this.#hub.originVerdict(id, this.#hooks.allows(event.origin));
      case 'abandon':
        return this.#hooks.abandon(event);
      case 'relayWrite':
        return this.#relay.write(event);
      case 'relayEnd':
        return this.#relay.end(event);
      case 'relayDestroy':
        return this.#relay.destroy(event);
      case 'relayResume':
        return this.#relay.resume(event);
      case 'error':
        return this.#tell(type, Object.assign(new Error(event.message), { code: event.code }));
      case 'log':
        return this.#log(event.level, event.message);
      case 'closed':
        return this.#end();
    }
  }

  #end() {
    this.#counts.close();
    this.#hooks.abandonAll();
    this.#relay.destroyAll();
    this.#ended();
  }
}

module.exports = { Link };
