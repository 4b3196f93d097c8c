'use strict';

// The bot's process ends in the middle of everything: updates under way, clients that do not read,
// some that wait to be let in. It ends at once, with the code that it was given, and no client hangs.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { aftermath } = require('./support/aftermath');
const { RoomClient, dial } = require('./support/client');
const { runProgram } = require('./support/program');
const { openSession, textFrame } = require('./support/raw');
const { FORMS } = require('./support/server');

const CLIENTS = 10;

/** Of an error that nobody catches, and of the bot's own choice. */
const FAILED = 1;
const OWN = 7;

/** Where the end comes from, and the code that it is to have. */
const EVERYWHERE = {
  timer: OWN,
  'join listener': OWN,
  authenticate: OWN,
  authorizeJoin: OWN,
  logger: OWN,
  drain: OWN,
  'close listener': OWN,
  'exit listener': OWN,
  'exit code': OWN,
  'uncaught error': FAILED,
  'unhandled rejection': FAILED,
};

// How a process ends is the same for all forms; how the connections are held is not.
const PLACES = {
  http: Object.keys(EVERYWHERE),
  https: ['timer', 'authenticate', 'close listener'],
  standalone: ['timer', 'join listener', 'authenticate', 'logger', 'drain'],
};

for (const form of FORMS) {
  describe(`the end of the process, ${form}`, () => {
    for (const where of PLACES[form]) {
      const code = EVERYWHERE[where];
      it(`by way of: ${where}, is with ${code}`, async t => {
        aftermath(t);
        const bot = runProgram(t, 'exiting-bot.js', { form, where, clients: CLIENTS });
        const { port } = await bot.nextLine();
        const secure = form === 'https';
        const server = { port, secure, clients: [] };
        server.url = `${secure ? 'wss' : 'ws'}://127.0.0.1:${port}/ws/rooms`;
        t.after(() => {
          for (const client of server.clients) client.terminate();
        });
        await dial(server, { userId: 'never' }).opened;
        const stalled = await openSession(server);
        stalled.write(textFrame({ action: 'JOIN_ROOM', roomId: 1 }));
        stalled.socket.pause();
        const clients = [];
        for (let count = 1; count < CLIENTS; count += 1) {
          const client = new RoomClient(`${server.url}?userId=u${count}`);
          server.clients.push(client);
          clients.push(client);
          await client.opened;
          client.send({ action: 'JOIN_ROOM', roomId: 1 });
        }
        // What each of the places waits for, again and again.
        const visit = setInterval(() => {
          clients[0].ws.send('{"action":"JOIN_ROOM","roomId":3}', () => {});
          dial(server, { userId: 'broken' });
        }, 20);
        t.after(() => clearInterval(visit));

        const exit = await bot.exited;
        clearInterval(visit);
        assert.deepEqual({ code: exit.code, signal: exit.signal }, { code, signal: null });
        if (code === OWN) assert.equal(exit.complaints, '');
        else assert.match(exit.complaints, /Error: of the bot/);
        for (const client of clients) await client.closed;
      });
    }
  });
}
