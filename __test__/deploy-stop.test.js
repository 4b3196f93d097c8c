'use strict';

// How docs/deploy.md lets a bot stop: also where a proxy keeps its connection, and uses it all the time.

const assert = require('node:assert/strict');
const http = require('node:http');
const path = require('node:path');
const { it } = require('node:test');
const express = require('express');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { closeServer, listen } = require('./support/server');
const { deferred, nextEvent } = require('./support/wait');

const blocks = codeBlocks(path.join(__dirname, '../docs/deploy.md'));

it('a connection that is busy when the server closes ends with an answer', async t => {
  const app = express();
  const server = http.createServer(app);
  t.after(() => server.listening && closeServer(server));
  const code = [0, 1, 2, 3, 4]
    .map(nth => codeUnder(blocks, 'Stopping and restarting', 'js', nth))
    .find(block => block.includes("'Connection'"));
  new Function('app', 'server', code)(app, server);
  const asked = deferred();
  const goOn = deferred();
  app.get('/slow', async (_, res) => {
    asked.resolve();
    await goOn.promise;
    res.send('done');
  });
  app.get('/', (_, res) => res.send('plain'));
  const port = await listen(server);

  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const ask = route =>
    new Promise((resolve, reject) => {
      const request = http.get({ host: '127.0.0.1', port, path: route, agent }, response => {
        response.resume().once('end', () => resolve(response));
      });
      request.once('error', reject);
    });

  const slow = ask('/slow');
  await asked.promise;
  let open = true;
  const closed = nextEvent(server, 'close').finally(() => {
    open = false;
  });
  server.close();
  goOn.resolve();
  assert.equal((await slow).statusCode, 200);
  // As nginx does, as long as it is let: without a pause in which the connection would be idle.
  while (open) {
    const answer = await ask('/').catch(error => error);
    if (answer.code === 'ECONNREFUSED') break;
    assert.equal(answer.headers.connection, 'close');
  }
  await closed;
});
