'use strict';

const { Pool } = require('pg');
const { Unavailable } = require('./unavailable');

const CONNECTIONS = 10;
const CONNECT_WITHIN_MS = 5_000;
const ANSWER_WITHIN_MS = 5_000;

// https://www.postgresql.org/docs/current/errcodes-appendix.html: connection exceptions,
// insufficient resources, operator intervention.
const AWAY = /^(08|53|57)/;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** A pool of connections to a PostgreSQL server. It connects when it is first asked. */
function openPostgres(connectionString) {
  // pg would take anything else for the name of a database on a host called `base`.
  if (!/^postgres(ql)?:\/\//.test(connectionString)) {
    throw new Error('DATABASE_URL has to be like postgres://user:password@host:5432/database');
  }
  const pool = new Pool({
    connectionString,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: ANSWER_WITHIN_MS,
  });
  // A connection that breaks while nobody uses it is replaced by the next query.
  pool.on('error', error => console.error(`PostgreSQL: ${error.message}`));

  const ask = async (...args) => {
    try {
      return (await pool.query(...args)).rows;
    } catch (error) {
      throw isAway(error)
        ? new Unavailable('The database does not answer', { cause: error })
        : error;
    }
  };
  return {
    // Without values several statements are one transaction.
    script: text => ask(text),
    query: (text, values) => ask(text, values),
    close: () => pool.end(),
  };
}

/** Whether an error is about the way to the server: all that has no SQLSTATE is. */
function isAway({ code }) {
  return !SQLSTATE.test(code) || AWAY.test(code);
}

module.exports = { openPostgres };
