'use strict';

const { isIP, Server: NetServer } = require('node:net');
const { isSessionAuthenticator } = require('./authenticate.js');
const { checkCluster } = require('./cluster-option.js');
const { describe, unknown, wrong } = require('./describe.js');
const { FOREIGN } = require('./foreign-options.js');

// The hub keeps sizes and times in 32 bits where Node's timers do too.
const MAX = 2 ** 31 - 1;

const integer = (min, max, unit) => ({
  right: `an integer from ${min} to ${max}${unit ? ` (${unit})` : ''}`,
  test: value => Number.isInteger(value) && value >= min && value <= max,
});
const atLeast = (min, unit) => integer(min, MAX, unit);
const milliseconds = atLeast(1, 'milliseconds');
const hook = { right: 'a function', test: value => typeof value === 'function' };

// What each option has to be. Defaults are the hub's own, in src/options.rs.
const OPTIONS = {
  path: {
    right: "a path that starts with '/', without query",
    test: value => typeof value === 'string' && /^\/[^\s?#]*$/.test(value),
  },
  authenticate: hook,
  authorizeJoin: hook,
  authTimeout: milliseconds,
  allowedOrigins: {
    right: "a list of origins such as ['https://example.com'], or a function of the origin",
    test: value => typeof value === 'function' || Array.isArray(value),
    check: checkOrigins,
  },
  trustProxy: {
    right: `${integer(0, MAX).right} (proxies in front), or a list of their addresses`,
    test: value => Array.isArray(value) || integer(0, MAX).test(value),
    check: checkProxies,
  },
  maxPayload: atLeast(1, 'bytes'),
  maxConnections: atLeast(1),
  maxConnectionsPerIp: atLeast(1),
  maxRoomsPerConnection: atLeast(1),
  messageRate: {
    right: `a number above 0 and up to ${MAX} (messages per second)`,
    test: value => typeof value === 'number' && value > 0 && value <= MAX,
  },
  messageBurst: atLeast(1, 'messages'),
  pingInterval: milliseconds,
  pongTimeout: milliseconds,
  handshakeTimeout: milliseconds,
  closeTimeout: milliseconds,
  maxBufferedBytes: atLeast(1, 'bytes'),
  slowTimeout: milliseconds,
  history: atLeast(0, 'updates'),
  roomTtl: milliseconds,
  threads: integer(1, 64),
  cluster: { right: '', test: () => true, check: checkCluster },
  // The log checks it, since it is the one that calls it.
  logger: { right: '', test: () => true },
  noServer: { right: 'true or false', test: value => typeof value === 'boolean' },
  signal: {
    right: 'an AbortSignal',
    test: value =>
      typeof value?.aborted === 'boolean' && typeof value.addEventListener === 'function',
  },
  port: {
    right: 'an integer from 0 to 65535',
    test: integer(0, 65_535).test,
    hint: value => (typeof value === 'string' ? ': pass Number(port)' : ''),
  },
  host: {
    right: 'a host name or an address',
    test: value => typeof value === 'string' && value !== '',
  },
  backlog: atLeast(1),
};

// Those that the hub gets as they are.
const NATIVE = [
  ...['path', 'trustProxy', 'maxPayload', 'maxConnections', 'maxConnectionsPerIp'],
  ...['maxRoomsPerConnection', 'messageRate', 'messageBurst', 'pingInterval', 'pongTimeout'],
  ...['handshakeTimeout', 'closeTimeout', 'authTimeout', 'maxBufferedBytes', 'slowTimeout'],
  ...['history', 'roomTtl', 'threads'],
];

/**
 * Checks what `setupRoomWebSocketServer` was called with.
 *
 * @param {unknown} first An http or https server, or the options.
 * @param {unknown} second The options, behind a server.
 * @returns {{ server: import('node:http').Server | undefined, options: object }}
 * @throws {TypeError}
 */
function setupArguments(first, second) {
  if (isServer(first)) {
    const options = second === undefined ? {} : second;
    checkOptions(options);
    checkBeside(options, 'a server is passed');
    if (options.noServer) throw new TypeError('options.noServer is in conflict with a server');
    return { server: first, options };
  }
  if (
    typeof first !== 'object' ||
    first === null ||
    typeof first.listen === 'function' ||
    isServeResult(first)
  ) {
    throw wrongServer('the first argument', first, ', or options with a port');
  }
  if (second !== undefined) {
    throw new TypeError(`options must be the only argument where no server is passed first`);
  }
  checkOptions(first);
  if (first.noServer) checkBeside(first, 'options.noServer is set');
  else if (first.port === undefined) {
    throw new TypeError(
      'nowhere to listen: pass an http or https server first, or set options.port or options.noServer',
    );
  }
  return { server: undefined, options: first };
}

/** What only a listener of the hub's own has a use for. */
function checkBeside(options, why) {
  for (const name of ['port', 'host', 'backlog']) {
    if (options[name] !== undefined) {
      throw new TypeError(`options.${name} has no meaning where ${why}: leave one of them out`);
    }
  }
}

function checkOptions(options) {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw wrong('options', 'an object', options);
  }
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (rule === undefined) throw unknownOption(name);
    if (value === undefined) continue;
    if (!rule.test(value)) {
      const error = wrong(`options.${name}`, rule.right, value);
      error.message += rule.hint?.(value) ?? '';
      throw error;
    }
    rule.check?.(value);
  }
}

function unknownOption(name) {
  if (Object.hasOwn(FOREIGN, name)) {
    return new TypeError(
      `options.${name} is an option of the ws library and has no meaning here: ${FOREIGN[name]}`,
    );
  }
  return unknown('options', name, Object.keys(OPTIONS));
}

function checkOrigins(origins) {
  if (typeof origins === 'function') return;
  origins.forEach((origin, at) => {
    const name = `options.allowedOrigins[${at}]`;
    if (origin === '*') {
      throw new TypeError(`${name} is '*': leave allowedOrigins out to allow any origin`);
    }
    const right = "an origin such as 'https://example.com', without path or slash at its end";
    if (typeof origin !== 'string') throw wrong(name, right, origin);
    // Pages without an origin send this word.
    if (origin === 'null') return;
    if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s/?#]+$/.test(origin)) throw wrong(name, right, origin);
    // Browsers leave the default port out and write in small letters.
    const written = new URL(origin).origin;
    if (written !== 'null' && written !== origin) throw wrong(name, `'${written}'`, origin);
  });
}

function checkProxies(proxies) {
  if (!Array.isArray(proxies)) return;
  proxies.forEach((proxy, at) => {
    if (typeof proxy === 'string' && isNetwork(proxy)) return;
    const right = "an IP address such as '10.0.0.1', or a network such as '10.0.0.0/8'";
    throw wrong(`options.trustProxy[${at}]`, right, proxy);
  });
}

function isNetwork(text) {
  const [address, prefix, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  if (prefix === undefined) return true;
  return /^[0-9]{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}

// What is used of a server, and setTimeout, which tells those that speak HTTP from other servers.
const SERVER = ['on', 'off', 'emit', 'listeners', 'listen', 'close', 'address', 'setTimeout'];

function isServer(value) {
  return (
    typeof value === 'object' &&
    value !== null &&
    SERVER.every(name => typeof value[name] === 'function')
  );
}

/** Whether it is what Bun.serve or Deno.serve returns, which has a port and could pass for options. */
function isServeResult(value) {
  return typeof value?.ref === 'function' && typeof value.unref === 'function' && !value.listen;
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {string} [others] What else may stand there.
 * @returns {TypeError}
 */
function wrongServer(name, value, others = '') {
  const right = `an http or https server${others}`;
  if (isServeResult(value)) {
    return new TypeError(
      `${name} must be ${right}, got ${describe(value)} that looks like a server of the runtime's own: ` +
        "make one by node:http, or leave that one alone and pass { port } for the hub's",
    );
  }
  // An Express or Koa app listens by making a server of its own, which nobody else can get at.
  if (typeof value?.listen !== 'function' || value instanceof NetServer) {
    return wrong(name, right, value);
  }
  return new TypeError(
    `${name} must be ${right}, got ${describe(value)} that looks like an app: pass http.createServer(app)`,
  );
}

/**
 * The options of the addon's Hub.
 *
 * @param {object} options Checked ones.
 * @returns {object}
 */
function nativeOptions(options) {
  const native = {};
  for (const name of NATIVE) native[name] = options[name];
  const { allowedOrigins, authenticate, authorizeJoin, cluster } = options;
  native.allowedOrigins = Array.isArray(allowedOrigins) ? allowedOrigins : undefined;
  native.originFunction = typeof allowedOrigins === 'function';
  // Cookies travel with the pages of every site, so a session alone proves little about a page.
  native.sameOrigin = allowedOrigins === undefined && isSessionAuthenticator(authenticate);
  native.authenticate = authenticate !== undefined;
  native.authorizeJoin = authorizeJoin !== undefined;
  native.clusterUrl = cluster?.url;
  native.clusterPrefix = cluster?.prefix;
  return native;
}

module.exports = { isServer, nativeOptions, setupArguments, wrongServer };
