'use strict';

// A logger that fails, in every place from which a line is logged on account of a client. (That it
// fails where descriptors are used up is part of the tests of that.)

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { connect, dial } = require('./support/client');
const { kinds } = require('./support/hooks');
const { FORMS } = require('./support/server');
const { until } = require('./support/wait');

const THEN = 'then';

function broken() {
  throw new Error('broken');
}

const rejects = async () => broken();
const never = () => new Promise(() => {});

/** What each function of the logger does with a line. */
const FAULTS = {
  throws: broken,
  rejects,
  'answers what cannot be awaited': () => Object.defineProperty({}, THEN, { get: broken }),
  'throws where it is awaited': () => ({ [THEN]: broken }),
};

/** The outcome that each place has, whatever the logger does; a client or a room for each. */
const CLIENTS = { throws: broken, rejects, never };

const LINES = [
  "a listener of 'connection' failed",
  "a listener of 'join' failed",
  'allowedOrigins failed',
  'authenticate did not answer within authTimeout',
  'authenticate failed',
  'authorizeJoin did not answer within authTimeout',
  'authorizeJoin failed',
];

/** A bot whose every function fails for some client. */
function brokenBot(logger) {
  return {
    logger,
    // Long enough for all other answers, on a busy machine too.
    authTimeout: 500,
    authenticate(request) {
      const userId = new URL(request.url, 'ws://host').searchParams.get('userId');
      return CLIENTS[userId]?.() ?? userId;
    },
    authorizeJoin: (_, roomId) => CLIENTS[roomId]?.() ?? true,
    allowedOrigins: origin => (origin === 'http://broken.example' ? broken() : true),
  };
}

/** Comes by every place; the clients see what they would see with any other logger. */
async function comeBy(server) {
  server.hub.on('connection', client => {
    if (client.userId === 'heard') broken();
  });
  server.hub.on('join', rejects);
  const client = await connect(server, { userId: 'heard' });
  const places = Object.keys(CLIENTS);
  // Side by side, so that the time of those that never answer runs once.
  for (const roomId of [...places, 'fine']) client.send({ action: 'JOIN_ROOM', roomId });
  const ends = await Promise.all(places.map(userId => dial(server, { userId }).closed));
  for (const end of ends) assert.equal(end.code, 1013);
  await assert.rejects(dial(server, { origin: 'http://broken.example' }).opened, /403/);
  assert.deepEqual(kinds(await client.take(places.length + 1)), [
    ...places.map(place => `Unable to verify room membership ${place}`),
    'ROOM_JOINED fine',
  ]);
  assert.deepEqual(await client.settle(), []);
}

for (const form of FORMS) {
  describe(`a logger, ${form}`, () => {
    for (const [fault, act] of Object.entries(FAULTS)) {
      it(`that ${fault} keeps nobody from anything`, async t => {
        const lines = new Set();
        const logger = {};
        for (const level of ['debug', 'info', 'warn', 'error']) {
          logger[level] = message => {
            lines.add(message);
            return act();
          };
        }
        const server = await startHostile(t, { form, ...brokenBot(logger) });
        await comeBy(server);
        await until(() => lines.size === LINES.length, 'all places');
        assert.deepEqual([...lines].sort(), LINES);
      });
    }
  });
}

describe('the console', () => {
  it('that throws keeps nobody from anything', async t => {
    let lines = 0;
    for (const level of ['warn', 'error']) {
      t.mock.method(console, level, () => {
        lines += 1;
        broken();
      });
    }
    const server = await startHostile(t, brokenBot(undefined));
    await comeBy(server);
    await until(() => lines >= LINES.length, 'all places');
  });
});
