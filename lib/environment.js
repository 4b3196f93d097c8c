'use strict';

// The hubs of this JavaScript environment: a worker thread loads this module anew, so it has its own.

/** Hubs that take updates. @type {import('../binding.js').Hub[]} */
const openHubs = [];

/** Hubs with threads: the open ones and those that drain. */
const liveHubs = new Set();

function exitAll() {
  for (const hub of liveHubs) hub.exit();
}

function enter(hub) {
  openHubs.push(hub);
  if (liveHubs.size === 0) process.on('exit', exitAll);
  liveHubs.add(hub);
}

/** The hub takes no more updates. */
function startDrain(hub) {
  const at = openHubs.indexOf(hub);
  if (at >= 0) openHubs.splice(at, 1);
}

/** The hub's last thread has ended. */
function leave(hub) {
  startDrain(hub);
  liveHubs.delete(hub);
  if (liveHubs.size === 0) process.off('exit', exitAll);
}

module.exports = { enter, leave, openHubs, startDrain };
