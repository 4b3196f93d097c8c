'use strict';

// The one way to the database: PostgreSQL where DATABASE_URL names one, PGlite within this process
// otherwise.

const { readFileSync } = require('node:fs');
const path = require('node:path');
const { Unavailable } = require('./unavailable');

const SCHEMA = readFileSync(path.join(__dirname, 'schema.sql'), 'utf8');

let database;
let prepared;
let closed = false;

function open() {
  if (closed) throw new Unavailable('The database is closed');
  const { DATABASE_URL, DATA_DIR } = process.env;
  // Only what is used is loaded: PGlite is a whole PostgreSQL.
  database ??= DATABASE_URL
    ? require('./postgres').openPostgres(DATABASE_URL)
    : require('./pglite').openPglite(DATA_DIR);
  return database;
}

/**
 * Creates what the database lacks, once. A failure is tried again by whoever comes next, so that a
 * bot that started before its database finds it later.
 *
 * @throws {import('./unavailable').Unavailable} while the database does not answer
 */
function prepare() {
  prepared ??= apply().catch(error => {
    prepared = undefined;
    throw error;
  });
  return prepared;
}

const apply = async () => open().script(SCHEMA);

/**
 * The rows of one SQL statement.
 *
 * @param {string} text with $1, $2, … for the values
 * @param {unknown[]} [values]
 * @returns {Promise<Record<string, any>[]>}
 * @throws {import('./unavailable').Unavailable} while the database does not answer
 */
async function query(text, values = []) {
  await prepare();
  return database.query(text, values);
}

/** Lets go of connections and files, for good. */
async function close() {
  closed = true;
  prepared = undefined;
  await database?.close();
}

module.exports = { close, query };
