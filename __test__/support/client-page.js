'use strict';

// The browser's client in a page of its own, before a hub that is also polled, over a road that can fail.

const fs = require('node:fs');
const { layRoad } = require('./road');
const { startServer, stopServer } = require('./server');
const { until } = require('./wait');

const MODULE = fs.readFileSync(require.resolve('roomcast/client'));

/** A bot's server: a page that is empty, the client's module, and what the client polls. */
class Site {
  /** Polls so far: `[{ roomId, status, etag }]`, `etag` being what the browser already had. */
  polls = [];
  /** What the polls of a room are answered in place of what the hub says, as `{ status, body }`. */
  answers = new Map();
  #t;
  #options;

  constructor(t, options) {
    this.#t = t;
    this.#options = options;
  }

  /** Starts the server; another one, which knows nothing of the first, where there was one. */
  async start() {
    const app = (request, response) => this.#serve(request, response);
    this.server = await startServer(this.#t, {
      authenticate: () => 'ann',
      app,
      ...this.#options,
    });
    this.hub = this.server.hub;
    this.road?.leadTo(this.server.port);
  }

  /** Stops it without a word, as where a process is killed. */
  async stop() {
    this.road.cut();
    this.road.leadTo(1);
    await stopServer(this.server);
  }

  #serve(request, response) {
    const { pathname } = new URL(request.url, 'http://bot');
    if (pathname === '/') {
      response.setHeader('Content-Type', 'text/html').end('<!doctype html><title>Rooms</title>');
    } else if (pathname === '/room-client.js') {
      response.setHeader('Content-Type', 'text/javascript').end(MODULE);
    } else if (pathname.startsWith('/api/rooms/')) {
      this.#answer(decodeURIComponent(pathname.slice('/api/rooms/'.length)), request, response);
    } else {
      response.writeHead(404).end();
    }
  }

  async #answer(roomId, request, response) {
    const known = this.hub.getRoomState(roomId);
    const given = this.answers.get(roomId);
    const answer = given ?? {
      status: known ? 200 : 404,
      body: known ?? { error: 'Room not found' },
    };
    const etag = `"${known?.epoch}-${known?.seq}"`;
    const held = request.headers['if-none-match'];
    const status = !given && known && held === etag ? 304 : answer.status;
    this.polls.push({ roomId, status, etag: held });
    response.writeHead(status, {
      'Cache-Control': 'private, no-cache',
      'Content-Type': 'application/json',
      ...(!given && known && { ETag: etag }),
    });
    response.end(status === 304 ? undefined : JSON.stringify(answer.body));
  }
}

/**
 * Starts a site, `site.hub` on it, and lays `site.road` to it.
 *
 * @param {import('node:test').TestContext} t
 * @param {object} [options] the hub's
 */
async function startSite(t, options) {
  const site = new Site(t, options);
  await site.start();
  site.road = await layRoad(t, site.server.port);
  return site;
}

/** A page with a client, and all that it has dispatched. */
class ClientPage {
  constructor(page) {
    this.page = page;
  }

  /** Calls a method of the client. */
  call(method, ...values) {
    return this.page.evaluate(([name, given]) => window.client[name](...given), [method, values]);
  }

  state() {
    return this.page.evaluate(() => window.client.state);
  }

  /** What it has dispatched, in order: `[{ type, detail }]`. */
  events() {
    return this.page.evaluate(() => window.events);
  }

  /** The details of all its events of that type. */
  async details(type) {
    return (await this.events()).filter(event => event.type === type).map(event => event.detail);
  }

  states() {
    return this.details('state');
  }

  updates() {
    return this.details('update');
  }

  errors() {
    return this.details('error');
  }

  /** Awaits that state. */
  reaches(state) {
    return until(async () => (await this.state()) === state, `the state ${state}`);
  }

  /** Awaits that many events of a type, and gives their details. */
  gets(count, type) {
    return until(async () => {
      const details = await this.details(type);
      return details.length >= count && details;
    }, `${count} of ${type}`);
  }

  /** Awaits that many updates, and gives them. */
  updated(count) {
    return this.gets(count, 'update');
  }

  /** Awaits the answers to all that it has sent so far, which come in order. */
  async answered() {
    await this.reaches('live');
    await this.call('status', 0);
  }

  /** Fires an event of the browser's at the page, as where the network or the tab comes back. */
  fires(...types) {
    return this.page.evaluate(names => {
      for (const name of names) {
        const target = name === 'visibilitychange' ? document : window;
        target.dispatchEvent(new Event(name));
      }
    }, types);
  }
}

/**
 * Opens the site's page with a client of these options, which joins these rooms.
 *
 * @param {(t: import('node:test').TestContext) => Promise<import('playwright-core').Page>} open
 * @param {{ options?: object, rooms?: (number | string)[], prepare?: (page) => unknown }} [setting]
 *   `prepare` runs once the page is there, before the client is
 */
async function openClient(t, open, site, { options = {}, rooms = [1], prepare } = {}) {
  const page = await open(t);
  await page.goto(`${site.road.origin}/`);
  await prepare?.(page);
  await page.evaluate(
    async ([given, ids]) => {
      const { RoomClient } = await import('/room-client.js');
      window.events = [];
      window.client = new RoomClient(given);
      for (const type of ['state', 'update', 'error']) {
        window.client.addEventListener(type, ({ detail }) => window.events.push({ type, detail }));
      }
      for (const id of ids) window.client.join(id);
    },
    [options, rooms],
  );
  return new ClientPage(page);
}

module.exports = { openClient, startSite };
