'use strict';

/** What the bot depends on does not answer; whoever asked may ask again later. */
class Unavailable extends Error {
  name = 'Unavailable';
  status = 503;
}

module.exports = { Unavailable };
