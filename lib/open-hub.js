'use strict';

const { Hub } = require('./addon.js');

/**
 * Opens a hub, with the two functions that a bot calls all the time.
 *
 * @param {import('../binding.js').HubOptions} options
 * @param {() => void} notify Called when events wait.
 */
function openHub(options, notify) {
  const hub = new Hub(options, notify);
  hub.tellJoined = hub.participantTeller(true);
  hub.tellLeft = hub.participantTeller(false);
  return hub;
}

module.exports = { openHub };
