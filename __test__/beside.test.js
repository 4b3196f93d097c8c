'use strict';

// Others on the same port: Socket.IO, `ws` servers of every kind, a second hub, and nobody at all.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { Server: SocketIoServer } = require('socket.io');
const { io: socketIoClient } = require('socket.io-client');
const WebSocket = require('ws');
const { setupRoomWebSocketServer } = require('..');
const { serveBeside } = require('./support/beside');
const { RoomClient, connect } = require('./support/client');
const { OPCODE, openRaw, openSession, upgradeRequest } = require('./support/raw');
const { tls } = require('./support/server');
const { failsafe, nextEvent } = require('./support/wait');

let room = 0;

/** Our own client joins a room of its own and sees an update: the hub works on this server. */
async function assertHubWorks(started, path = '/ws/rooms', hub = started.hub) {
  const url = `${started.secure ? 'wss' : 'ws'}://${started.origin}${path}`;
  const client = await connect({ ...started, url }, { userId: 'ours' });
  room += 1;
  const { seq } = await client.join(room);
  hub.broadcastRoomUpdate(room, 'A', 1, 2, 'join');
  assert.equal((await client.nextMessage()).seq, seq + 1);
  assert.deepEqual(await client.close(1000), { code: 1000, reason: '' });
}

/** An echo of theirs answers on its own path. */
async function assertEchoes(started, path) {
  const client = new RoomClient(`ws://${started.origin}${path}`);
  started.clients.push(client);
  await client.opened;
  assert.equal(await client.ask('over there'), 'echo over there');
}

function echo(webSocket) {
  webSocket.on('message', text => webSocket.send(`echo ${text}`));
}

describe('socket.io', () => {
  const attach = server => {
    const io = new SocketIoServer(server);
    io.on('connection', socket => {
      socket.on('say', (word, acknowledge) => acknowledge(`heard ${word}`));
    });
    return () => {
      io.disconnectSockets(true);
      io.engine.close();
    };
  };

  async function assertSocketIoWorks(t, started, transports) {
    const socket = socketIoClient(`http://${started.origin}`, {
      transports,
      reconnection: false,
      forceNew: true,
    });
    t.after(() => socket.disconnect());
    const answer = new Promise((resolve, reject) => {
      socket.once('connect_error', reject);
      socket.emit('say', transports.join(), resolve);
    });
    assert.equal(await failsafe(answer, () => 'an acknowledgement'), `heard ${transports.join()}`);
    if (transports.length === 1) assert.equal(socket.io.engine.transport.name, transports[0]);
    socket.disconnect();
  }

  for (const place of ['before', 'after']) {
    it(`works where it is attached ${place} ours, and so does ours`, async t => {
      const started = await serveBeside(t, { [place]: attach });
      for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
        await assertHubWorks(started);
        await assertSocketIoWorks(t, started, transports);
      }
      await assertHubWorks(started);
    });

    it(`upgrades from polling to websocket where it is attached ${place} ours`, async t => {
      const started = await serveBeside(t, { [place]: attach });
      const socket = socketIoClient(`http://${started.origin}`, {
        reconnection: false,
        forceNew: true,
      });
      t.after(() => socket.disconnect());
      await nextEvent(socket, 'connect');
      if (socket.io.engine.transport.name !== 'websocket') {
        await nextEvent(socket.io.engine, 'upgrade');
      }
      assert.equal(socket.io.engine.transport.name, 'websocket');
      await assertHubWorks(started);
    });

    it(`leaves a client of ours alone for longer than its upgrade timeout, attached ${place} ours`, async t => {
      // It ends an upgrade that nobody has answered within this time; one of ours is answered.
      const started = await serveBeside(t, {
        [place]: server => {
          const io = new SocketIoServer(server, { destroyUpgradeTimeout: 50 });
          return () => io.engine.close();
        },
      });
      const client = await connect(started);
      const nobodys = await openRaw(started);
      nobodys.write(upgradeRequest({ target: '/nobody' }));
      await nobodys.closed;
      assert.deepEqual(await client.settle(), []);
    });
  }
});

describe('a ws server', () => {
  const noServer = server => {
    const wss = new WebSocket.Server({ noServer: true });
    wss.on('connection', echo);
    server.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') {
        wss.handleUpgrade(request, socket, head, client => wss.emit('connection', client));
      }
    });
    return () => {
      for (const client of wss.clients) client.terminate();
    };
  };

  const withPath = server => {
    const wss = new WebSocket.Server({ server, path: '/other' });
    wss.on('connection', echo);
    return () => {
      for (const client of wss.clients) client.terminate();
      wss.close();
    };
  };

  for (const [name, attach] of Object.entries({ noServer, '{ server, path }': withPath })) {
    for (const place of ['before', 'after']) {
      it(`of the form ${name}, attached ${place} ours, works and so does ours`, async t => {
        const started = await serveBeside(t, { [place]: attach });
        await assertHubWorks(started);
        await assertEchoes(started, '/other');
        await assertHubWorks(started);
        // What comes behind our 101 is from us alone, not a second answer of theirs.
        const raw = await openSession(started);
        raw.write(Buffer.from([0x80 | OPCODE.ping, 0x80, 0, 0, 0, 0]));
        assert.equal((await raw.nextFrame()).opcode, OPCODE.pong);
      });

      it(`of the form ${name}, attached ${place} ours, goes on when ours has closed`, async t => {
        const started = await serveBeside(t, { [place]: attach });
        await assertHubWorks(started);
        await started.hub.close();
        await assertEchoes(started, '/other');
      });
    }
  }

  it('of the form { server, path } refuses every path that is neither its own nor ours', async t => {
    const started = await serveBeside(t, { before: withPath });
    const raw = await openRaw(started);
    raw.write(upgradeRequest({ target: '/third' }));
    assert.equal((await raw.response()).status, 400);
    await assertHubWorks(started);
  });

  it('put in front of all listeners does not see what is ours', async t => {
    const seen = [];
    const started = await serveBeside(t);
    started.server.prependListener('upgrade', (request, socket) => {
      seen.push(request.url);
      socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n');
    });
    await assertHubWorks(started);
    assert.deepEqual(seen, []);
    const raw = await openRaw(started);
    raw.write(upgradeRequest({ target: '/third' }));
    assert.equal((await raw.response()).status, 418);
    assert.deepEqual(seen, ['/third']);
  });
});

describe('a second hub of ours', () => {
  for (const order of ['first', 'second']) {
    it(`serves another path of the same server, and the ${order} may close before the other`, async t => {
      const started = await serveBeside(t, { path: '/a' });
      const second = setupRoomWebSocketServer(started.server, { path: '/b', logger: false });
      t.after(() => second.close());
      await assertHubWorks(started, '/a');
      await assertHubWorks(started, '/b', second);
      const hubs = { first: ['/a', started.hub], second: ['/b', second] };
      const { [order]: closing, ...others } = hubs;
      await closing[1].close();
      for (const [path, hub] of Object.values(others)) await assertHubWorks(started, path, hub);
    });
  }
});

for (const form of ['http', 'https']) {
  describe(`a WebSocket request for another path, ${form}`, () => {
    it('gets 404 where nobody else listens, and is closed', async t => {
      const started = await serveBeside(t, { form });
      for (const target of [
        '/nothing',
        '/ws/rooms/',
        '/ws/room',
        '/WS/ROOMS',
        '/ws/rooms/1',
        '/',
      ]) {
        const raw = await openRaw(started);
        raw.write(upgradeRequest({ target }));
        assert.equal((await raw.response()).status, 404, target);
        await raw.closed;
      }
      await assertHubWorks(started);
    });

    it('is left alone where others listen', async t => {
      const started = await serveBeside(t, { form });
      const given = new Promise(resolve => {
        started.server.on('upgrade', (request, socket, head) => resolve({ request, socket, head }));
      });
      const raw = await openRaw(started);
      raw.write(`${upgradeRequest({ target: '/theirs' })}behind it`);
      const { request, socket, head } = await given;
      assert.equal(request.url, '/theirs');
      assert.equal(head.toString(), 'behind it');
      assert.equal(socket.bytesWritten, 0);
      socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nit is theirs');
      await raw.closed;
      assert.equal(raw.body.toString(), 'it is theirs');
    });

    it('gets 404 again when the last other listener is gone', async t => {
      const started = await serveBeside(t, { form });
      const other = (_, socket) => socket.end('HTTP/1.1 410 Gone\r\nConnection: close\r\n\r\n');
      started.server.on('upgrade', other);
      const statuses = [];
      for (const leave of [false, true]) {
        if (leave) started.server.off('upgrade', other);
        const raw = await openRaw(started);
        raw.write(upgradeRequest({ target: '/theirs' }));
        statuses.push((await raw.response()).status);
        await raw.closed;
      }
      assert.deepEqual(statuses, [410, 404]);
    });
  });
}

describe('plain requests', () => {
  it('go to the app, on our path too', async t => {
    const app = (request, response) => response.end(`${request.method} ${request.url}`);
    const started = await serveBeside(t, { app });
    for (const path of ['/', '/ws/rooms', '/ws/rooms?userId=1']) {
      const response = await fetch(`http://${started.origin}${path}`);
      assert.equal(await response.text(), `GET ${path}`);
    }
  });

  it('go to the app after the hub has closed, upgrades with them', async t => {
    const app = (_, response) => response.writeHead(426).end();
    const started = await serveBeside(t, { app });
    await assertHubWorks(started);
    await started.hub.close();
    const raw = await openRaw(started);
    raw.write(upgradeRequest());
    assert.equal((await raw.response()).status, 426);
  });

  it('of https are served beside relayed clients', async t => {
    const app = (_, response) => response.end('served');
    const started = await serveBeside(t, { form: 'https', app });
    await assertHubWorks(started);
    const https = require('node:https');
    const text = await new Promise((resolve, reject) => {
      https
        .get({ host: '127.0.0.1', port: started.port, ca: tls.cert, agent: false }, response => {
          response.setEncoding('utf8').on('data', resolve);
        })
        .on('error', reject);
    });
    assert.equal(text, 'served');
  });
});
