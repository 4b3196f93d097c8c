'use strict';

const { after, before } = require('node:test');

/**
 * Starts, before the first test of a suite or a file, what its tests share; it ends after the last.
 *
 * @param {(suite: { after(ending: () => unknown): void }) => unknown} start given what takes the place
 *   of a test's context
 */
function share(start) {
  const endings = [];
  before(() => start({ after: ending => endings.push(ending) }));
  after(async () => {
    for (const ending of endings.reverse()) await ending();
  });
}

module.exports = { share };
