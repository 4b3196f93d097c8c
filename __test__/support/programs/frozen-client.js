'use strict';

// A client in a process of its own, which can be stopped and told to go on by signals, as a laptop
// is by its lid.
//
// Settings: { url, roomId }. Lines: { pid } once it is in the room, then { seq, event } of every
// update, { pong: true } for every PONG (it asks once it has seen an update called LAST), and
// { closed } with the code of the end.

const { RoomClient } = require('../client');

const { url, roomId } = JSON.parse(process.argv[2]);
const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);

async function run() {
  const client = new RoomClient(`${url}?userId=frozen`);
  client.ws.on('close', code => say({ closed: code }));
  await client.opened;
  await client.nextMessage();
  await client.join(roomId);
  say({ pid: process.pid });
  client.ws.on('message', bytes => {
    const { type, seq, event } = JSON.parse(bytes);
    if (type === 'ROOM_UPDATE') say({ seq, event });
    if (type === 'PONG') say({ pong: true });
    if (event === 'LAST') client.send({ action: 'PING' });
  });
}

run();
