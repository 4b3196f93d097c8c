'use strict';

const { wrong } = require('./describe.js');

const LEVELS = ['debug', 'info', 'warn', 'error'];

function silent() {}

// Looked up at each call, so that a console replaced later (by a test, by an APM) is used.
const standard = {
  debug: silent,
  info: silent,
  warn: (message, fields) => toConsole('warn', message, fields),
  error: (message, fields) => toConsole('error', message, fields),
};

function toConsole(level, message, fields) {
  if (fields === undefined) console[level](`roomcast: ${message}`);
  else console[level](`roomcast: ${message}`, fields);
}

const none = { debug: silent, info: silent, warn: silent, error: silent };

/**
 * A log that never throws, whatever the bot's logger does.
 *
 * @param {unknown} logger The `logger` option.
 * @returns {(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: object) => void}
 */
function createLog(logger) {
  const target = loggerOf(logger);
  return (level, message, fields) => {
    try {
      const result = target[level](message, fields);
      // An async logger that fails must not end the bot by an unhandled rejection.
      if (typeof result?.then === 'function') result.then(undefined, silent);
    } catch {
      // There is nowhere left to say so.
    }
  };
}

function loggerOf(logger) {
  if (logger === undefined) return standard;
  if (logger === false) return none;
  const right = 'an object with the functions debug, info, warn and error, or false';
  if (typeof logger !== 'object' || logger === null) throw wrong('options.logger', right, logger);
  const missing = LEVELS.find(level => typeof logger[level] !== 'function');
  if (missing) throw wrong(`options.logger.${missing}`, 'a function', logger[missing]);
  return logger;
}

module.exports = { createLog };
