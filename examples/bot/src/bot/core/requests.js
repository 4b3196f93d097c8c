'use strict';

/**
 * Follows the requests of a server.
 *
 * @param {import('node:http').Server} server
 * @returns {() => Promise<void>} resolves at a moment in which none is under way
 */
function followRequests(server) {
  let underWay = 0;
  let quiet = () => {};
  server.on('request', (_req, res) => {
    underWay += 1;
    res.once('close', () => {
      underWay -= 1;
      if (underWay === 0) quiet();
    });
  });
  return () =>
    new Promise(resolve => {
      if (underWay === 0) resolve();
      else quiet = resolve;
    });
}

module.exports = { followRequests };
