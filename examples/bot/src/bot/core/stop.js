'use strict';

const { once } = require('node:events');
const { setTimeout: after } = require('node:timers/promises');
const { followRequests } = require('./requests');
const database = require('../../database');

const REQUESTS_END_WITHIN_MS = 5_000;
const ALL_ENDS_WITHIN_MS = 15_000;

/**
 * Stops the bot on SIGTERM and SIGINT: requests get their answer, then pages are told and come back to
 * whoever is there, and only then the database and the sessions go.
 */
function stopOnSignals({ server, rooms, app, sessions, drainDelayMs }) {
  const requestsEnded = followRequests(server);
  let stopping = false;
  const stop = async signal => {
    // A terminal sends Ctrl-C to npm and to the bot, and npm passes its own on: the second one is
    // not impatience.
    if (stopping) return;
    stopping = true;
    console.log(`${signal}: closing.`);
    // Whatever does not answer, a database for one, must not keep the process.
    setTimeout(() => {
      console.error('Closing takes too long: ending at once.');
      process.exit(1);
    }, drainDelayMs + ALL_ENDS_WITHIN_MS).unref();
    // Load balancers that ask /healthz send nobody new meanwhile.
    app.set('draining', true);
    await after(drainDelayMs);

    // A hub that closes takes no updates: whoever joins at this moment is told of first.
    await Promise.race([requestsEnded(), after(REQUESTS_END_WITHIN_MS, undefined, { ref: false })]);

    const closed = once(server, 'close');
    server.close();
    setTimeout(() => server.closeAllConnections(), REQUESTS_END_WITHIN_MS).unref();
    await Promise.all([closed, rooms.close()]);
    await Promise.allSettled([database.close(), sessions.close()]);
    // Under pm2 in cluster mode, the channel to pm2 would keep the process.
    if (process.connected) process.disconnect();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

module.exports = { stopOnSignals };
