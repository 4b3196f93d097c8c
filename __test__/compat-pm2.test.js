'use strict';

// Two bots under pm2 in cluster mode, as docs/deploy.md has them. pm2's own process listens, and hands
// each connection to one of them: a hub takes it from there.

const assert = require('node:assert/strict');
const http = require('node:http');
const { describe, it } = require('node:test');
const { RoomClient } = require('./support/client');
const { needs } = require('./support/compat');
const { startPm2 } = require('./support/pm2');
const { freePort, needsRedis, startRedis } = require('./support/redis');
const { until } = require('./support/wait');

const ROOM = 1;

/** The answer of whichever process gets it; rejects where there is none. */
function ask(port, route) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: route, agent: false }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', text => {
        body += text;
      });
      response.once('error', reject).once('end', () => resolve(JSON.parse(body)));
    });
    request.once('error', reject);
  });
}

/** A page in the room: it comes back where it is sent away, with what it saw last. */
class Page {
  #port;
  #client;
  #gone = false;
  /** The process that has it. */
  pid;
  /** Names of the updates it has got, in their order. */
  heard = [];
  /** How often it was sent away. */
  returns = 0;

  constructor(port) {
    this.#port = port;
  }

  /** Resolves once it is in the room. */
  async come(seen = {}) {
    const client = new RoomClient(`ws://127.0.0.1:${this.#port}/ws/rooms`);
    this.#client = client;
    try {
      this.pid = Number((await client.nextMessage()).userId);
      const { epoch } = await client.join(ROOM, seen);
      this.#listen(client, { epoch, ...seen });
    } catch (error) {
      if (this.#gone) return;
      // Taken in by a process just before it closed.
      if (client.ws.readyState === client.ws.OPEN) throw error;
      await this.come(seen);
    }
  }

  async #listen(client, seen) {
    const last = { ...seen };
    try {
      for (;;) {
        const { type, participantName, seq, epoch = last.epoch } = await client.nextMessage();
        if (type !== 'ROOM_UPDATE') continue;
        Object.assign(last, { lastSeq: seq, epoch });
        this.heard.push(participantName);
      }
    } catch {
      if (this.#gone) return;
      this.returns += 1;
      this.come(last);
    }
  }

  leave() {
    this.#gone = true;
    this.#client.terminate();
  }
}

/** Two bots and a page at each of them. */
async function startTwo(t, env = {}) {
  const port = await freePort();
  const pm2 = await startPm2(t, { ...env, PORT: String(port) });
  const pids = await pm2.pids();
  assert.equal(new Set(pids).size, 2);
  const answering = new Set();
  await until(async () => {
    const answer = await ask(port, '/connections').catch(() => undefined);
    if (answer) answering.add(answer.pid);
    return answering.size === 2;
  }, 'both processes to answer');
  assert.deepEqual([...answering].sort(), pids.sort());

  const pages = new Map();
  await until(async () => {
    const page = new Page(port);
    await page.come();
    if (pages.has(page.pid)) page.leave();
    else pages.set(page.pid, page);
    return pages.size === 2;
  }, 'a page at each process');
  t.after(() => {
    for (const page of pages.values()) page.leave();
  });
  return { pm2, port, pids, pages: [...pages.values()] };
}

const skip = needs('pm2').skip || needsRedis.skip;

describe('pm2 in cluster mode', { skip }, () => {
  it('with Redis: pages of both processes hear of every update, also across a reload', async t => {
    const { url } = await startRedis(t);
    const { pm2, port, pids, pages } = await startTwo(t, { REDIS_URL: url });
    const told = [];
    const tell = async () => {
      const name = `update ${told.length}`;
      // False: this process closes, and leaves the update to the next one.
      await until(() => ask(port, `/update?name=${encodeURIComponent(name)}`), name);
      told.push(name);
    };
    const allHeard = () =>
      until(
        () => pages.every(({ heard }) => heard.length >= told.length),
        () => `all of ${told.length} updates; heard: ${pages.map(({ heard }) => heard.length)}`,
      );

    for (let count = 0; count < 10; count += 1) await tell();
    await allHeard();

    let reloaded = false;
    const reload = pm2.reload().finally(() => {
      reloaded = true;
    });
    while (!reloaded) await tell();
    await reload;
    for (let count = 0; count < 10; count += 1) await tell();
    await allHeard();
    // What two processes are given in turn may reach Redis in the other order, which is that of all.
    assert.deepEqual(pages[0].heard, pages[1].heard);
    assert.deepEqual(pages[0].heard.toSorted(), told.toSorted());

    const successors = await pm2.pids();
    assert.ok(successors.every(pid => !pids.includes(pid)));
    for (const { pid, returns } of pages) {
      assert.ok(successors.includes(pid));
      assert.ok(returns >= 1);
    }
    t.diagnostic(
      `${told.length} updates, pages came back ${pages.map(({ returns }) => returns)} times`,
    );
  });

  it('without: each process has pages of its own, and Node holds none of their sockets', async t => {
    const { port, pages } = await startTwo(t);
    const one = new Set();
    await until(async () => {
      const { pid, count } = await ask(port, '/connections');
      if (count === 1) one.add(pid);
      return one.size === 2;
    }, 'no connection of Node but that of the request');

    const told = [];
    await until(async () => {
      told.push(`update ${told.length}`);
      await ask(port, `/update?name=${encodeURIComponent(told.at(-1))}`);
      return pages.every(({ heard }) => heard.length > 0);
    }, 'an update of each process');
    const heard = () => pages.flatMap(page => page.heard);
    await until(() => heard().length >= told.length, 'all of the updates');
    assert.deepEqual(heard().toSorted(), told.toSorted());
  });
});
