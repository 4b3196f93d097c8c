'use strict';

/** Numbers below a limit that look random and are the same in every run. */
function sequence(state) {
  let last = state;
  return limit => {
    last = (last * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor(last / 65_536) % limit;
  };
}

module.exports = { sequence };
