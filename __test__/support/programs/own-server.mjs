// What a bot is told that passes the server of its runtime's own: Bun.serve's or Deno.serve's.

import { setupRoomWebSocketServer } from '../../../index.mjs';

const answer = () => new Response('plain');
const options = { port: 0, hostname: '127.0.0.1', onListen() {} };
const server = globalThis.Bun
  ? Bun.serve({ ...options, fetch: answer })
  : Deno.serve(options, answer);
const say = line => console.log(JSON.stringify(line));
const address = `http://127.0.0.1:${server.port ?? server.addr.port}/`;

try {
  setupRoomWebSocketServer(server);
  say({ refused: false });
} catch ({ name, message }) {
  say({ refused: name, message, goesOn: await (await fetch(address)).text() });
}
await (server.stop?.(true) ?? server.shutdown());
