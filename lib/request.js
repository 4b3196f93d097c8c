'use strict';

// Node keeps the first of these where a request has several (the documentation of `message.headers`).
const SINGLE = new Set([
  ...['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host'],
  ...['if-modified-since', 'if-unmodified-since', 'last-modified', 'location', 'max-forwards'],
  ...['proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent'],
]);

/**
 * The request that the hub's own listener has read, for `authenticate`.
 *
 * @param {{ method: string, url: string, rawHeaders: string[], remoteAddress?: string }} event
 */
function requestOf({ method, url, rawHeaders, remoteAddress }) {
  return {
    method,
    url,
    headers: joinHeaders(rawHeaders),
    rawHeaders,
    socket: { remoteAddress, encrypted: false },
  };
}

/** As Node joins headers: names in small letters, cookies by a semicolon, all else by a comma. */
function joinHeaders(rawHeaders) {
  const headers = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at].toLowerCase();
    const value = rawHeaders[at + 1];
    const known = Object.hasOwn(headers, name);
    if (name === 'set-cookie') headers[name] = known ? [...headers[name], value] : [value];
    else if (!known) headers[name] = value;
    else if (!SINGLE.has(name)) headers[name] += `${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  return headers;
}

module.exports = { requestOf };
