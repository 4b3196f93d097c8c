'use strict';

/** An answer other than success, thrown from anywhere in a controller. */
class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function notFound(_req, _res, next) {
  next(new HttpError(404, 'Not found'));
}

/** Express's last word: every error is JSON, and what the client cannot help is logged. */
function answerError(error, req, res, _next) {
  const status = error.status >= 400 && error.status < 600 ? error.status : 500;
  if (status >= 500) console.error(`${req.method} ${req.path}: ${describe(error)}`);
  // The answer is out already; nothing of it can be taken back.
  if (res.headersSent) return;
  if (status === 503) res.set('Retry-After', '2');
  res.status(status).json({ error: status === 500 ? 'Something went wrong' : error.message });
}

function describe(error) {
  if (error.cause) return `${error.message}: ${error.cause.message || error.cause.code}`;
  return error.status ? error.message : error.stack;
}

module.exports = { HttpError, answerError, notFound };
