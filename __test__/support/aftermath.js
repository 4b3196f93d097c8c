'use strict';

// What every hostile test ends with: whoever comes next is served, all that the hub took is given
// back, and nothing has reached the bot's process.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const { connect } = require('./client');
const { startServer } = require('./server');
const { until } = require('./wait');

/** A fresh client has its PONG by then, whatever the others do. */
const PONG_MS = 1_000;

const DESCRIPTORS = '/proc/self/fd';
const THREADS = '/proc/self/task';

// With the first socket of a process libuv sets a descriptor aside for good, which is not to look
// like a leak of the first test. (This one is gone before it connects.)
net.connect({ port: 1, host: '127.0.0.1' }).destroy();

const NO_PROC = 'this system has no /proc: descriptors and threads are not looked at';

/** What `read` gives of each entry; those that go while they are looked at are none. */
function entriesOf(directory, read) {
  return fs.readdirSync(directory).flatMap(name => {
    try {
      return [read(`${directory}/${name}`)];
    } catch {
      return [];
    }
  });
}

/**
 * What this process has open, by what each descriptor stands for (a socket by its own number), and
 * the threads of its hubs; undefined where the system does not tell.
 *
 * @returns {string[] | undefined}
 */
function holdings() {
  if (!fs.existsSync(DESCRIPTORS)) return undefined;
  const descriptors = entriesOf(DESCRIPTORS, entry => `descriptor ${fs.readlinkSync(entry)}`);
  const threads = entriesOf(
    THREADS,
    entry => `thread ${fs.readFileSync(`${entry}/comm`, 'utf8').trim()} of ${entry}`,
  );
  return [...descriptors, ...threads.filter(name => name.startsWith('thread roomcast-'))];
}

/** What is held now and was not before. */
function surplus(before) {
  const known = [...before];
  return holdings().filter(item => {
    const at = known.indexOf(item);
    if (at >= 0) known.splice(at, 1);
    return at < 0;
  });
}

/**
 * Waits until nothing is held that was not held before. Sockets that were closed a moment ago go
 * with the next turns of the event loop.
 *
 * @param {string[] | undefined} before from `holdings`
 */
async function givenBack(before) {
  if (before === undefined) return;
  let left;
  await until(
    () => {
      left = surplus(before);
      return left.length === 0;
    },
    () => `the end of ${left.length} descriptors or threads:\n  ${left.join('\n  ')}`,
  );
}

/**
 * Keeps what reaches the process as a whole: exceptions that nobody caught and rejections that
 * nobody handled.
 *
 * @returns {{ reached: string[], stop(): void }}
 */
function watchProcess() {
  const reached = [];
  const keep = (error, origin) => reached.push(`${origin}: ${error?.stack ?? error}`);
  const keepRejection = error => keep(error, 'unhandledRejection');
  // The monitor sees an exception without taking it from whom it belongs to.
  process.on('uncaughtExceptionMonitor', keep);
  process.on('unhandledRejection', keepRejection);
  return {
    reached,
    stop() {
      process.off('uncaughtExceptionMonitor', keep);
      process.off('unhandledRejection', keepRejection);
    },
  };
}

function expired(ms, what) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`${what} did not come within ${ms} ms`)), ms).unref();
  });
}

/** A client that has done nothing yet is served, and in time. */
async function assertServes(server, fresh) {
  const client = await connect(server, { userId: 'fresh', ...fresh });
  await Promise.race([client.settle(), expired(PONG_MS, "a fresh client's PONG")]);
}

/** The hostile clients leave, for tests in which they have used up what a fresh one needs. */
async function sendAway({ clients, hub }) {
  for (const client of clients) client.terminate();
  await until(() => hub.getStats().openConnections === 0, 'the end of the hostile clients');
}

/**
 * Notes how things are, before anything is started, and sees at the end of the test whether they are
 * so again. All that the test gives to `t.after` from now on is done before that last look.
 *
 * @param {import('node:test').TestContext} t
 * @returns {{ of(server: object, options?: { fresh?: object, makeRoom?: boolean }): void }} `of`
 *   names the server (as startServer gives it) that a fresh client is to be served by at the end,
 *   beside the hostile ones or, with `makeRoom`, once they are gone; `fresh` are its options for
 *   `connect`. Where the hub has closed by then, another one has to open and serve.
 */
function aftermath(t) {
  const before = holdings();
  if (before === undefined) t.diagnostic(NO_PROC);
  const watched = watchProcess();
  const endings = [];
  let check = () => {};

  t.after(async () => {
    const failures = [];
    const attempt = async act => {
      try {
        await act();
      } catch (error) {
        failures.push(error);
      }
    };
    await attempt(check);
    for (const ending of endings) await attempt(ending);
    await attempt(() => givenBack(before));
    // A rejection is found unhandled once the promises of its turn are settled.
    await new Promise(resolve => setImmediate(resolve));
    watched.stop();
    await attempt(() => assert.deepEqual(watched.reached, [], 'the process heard of it'));
    if (failures.length > 0) throw failures[0];
  });
  // Node calls these in the order in which they were given, and would call the one above first.
  t.after = ending => endings.push(ending);

  return {
    of(server, { fresh, makeRoom = false } = {}) {
      let open = true;
      server.hub.once('close', () => {
        open = false;
      });
      check = async () => {
        if (!open) return assertServes(await startServer(t, { form: server.form }), {});
        if (makeRoom) await sendAway(server);
        await assertServes(server, fresh);
      };
    },
  };
}

/**
 * Starts a server as `startServer` does, for a test that ends with the aftermath.
 *
 * @param {import('node:test').TestContext} t
 * @param {object} [options] `fresh` and `makeRoom` are for the aftermath, the rest for `startServer`
 */
async function startHostile(t, { fresh, makeRoom, ...options } = {}) {
  const end = aftermath(t);
  const server = await startServer(t, options);
  end.of(server, { fresh, makeRoom });
  return server;
}

module.exports = { aftermath, givenBack, holdings, startHostile, watchProcess };
