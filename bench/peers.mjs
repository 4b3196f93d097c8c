// Who is measured, and how each is started.

import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = relative => fileURLToPath(new URL(relative, import.meta.url));

export const DRIVER = path('driver/target/release/roomcast-bench-driver');
const CERTIFICATE = path('../__test__/fixtures/tls/cert.pem');
const KEY = path('../__test__/fixtures/tls/key.pem');

const node = (script, ...args) => [process.execPath, '--expose-gc', path(script), ...args];

/**
 * The binary itself, not a launcher: what is measured is the process that was started. The
 * package's install script moves it, where it may run.
 */
function bun() {
  const vendor = path('node_modules/@oven');
  const shipped = (existsSync(vendor) ? readdirSync(vendor) : []).map(build =>
    path(`node_modules/@oven/${build}/bin/bun`),
  );
  const binary = shipped.find(file => existsSync(file)) ?? path('node_modules/bun/bin/bun.exe');
  return [binary, path('peers/bun.mjs')];
}

/**
 * `command` gets the URL of a Redis where the peer is of the cluster.
 *
 * - `product`: whose version it tells, where that is not the title.
 * - `share`: of each scenario's clients, where a peer gets fewer.
 * - `bare`: no bot around it, so nothing to ask of its loop or its memory.
 * - `cluster`: two processes with a Redis between them, for the scenarios that have those.
 */
export const peers = [
  {
    name: 'floor',
    title: 'bare send loop (the floor)',
    command: () => [DRIVER, 'floor'],
    bare: true,
  },
  { name: 'roomcast', title: 'roomcast', command: () => node('peers/roomcast.mjs', 'attached') },
  {
    name: 'standalone',
    title: 'roomcast, standalone',
    product: 'roomcast',
    command: () => node('peers/roomcast.mjs', 'standalone'),
  },
  {
    name: 'relayed',
    title: 'roomcast, relayed (TLS)',
    product: 'roomcast',
    command: () => node('peers/roomcast.mjs', 'relayed', CERTIFICATE, KEY),
    certificate: CERTIFICATE,
    share: 0.2,
  },
  { name: 'uws', title: 'uWebSockets.js', command: () => node('peers/uws.mjs') },
  { name: 'bun', title: 'Bun', command: bun },
  { name: 'ws', title: 'ws', command: () => node('peers/ws.mjs') },
  {
    name: 'socket.io',
    title: 'Socket.IO',
    command: () => node('peers/socket-io.mjs'),
    dialect: 'socket.io',
  },
  {
    name: 'clustered',
    title: 'roomcast, cluster',
    product: 'roomcast',
    command: redis => node('peers/roomcast.mjs', 'clustered', redis),
    cluster: true,
  },
  {
    name: 'socket.io-redis',
    title: 'Socket.IO, Redis adapter',
    product: 'Socket.IO',
    command: redis => node('peers/socket-io.mjs', 'redis', redis),
    dialect: 'socket.io',
    cluster: true,
  },
  {
    name: 'socket.io-sharded',
    title: 'Socket.IO, sharded adapter',
    product: 'Socket.IO',
    command: redis => node('peers/socket-io.mjs', 'sharded', redis),
    dialect: 'socket.io',
    cluster: true,
  },
  {
    name: 'ws-redis',
    title: 'ws, ioredis by hand',
    product: 'ws',
    command: redis => node('peers/ws-redis.mjs', redis),
    cluster: true,
  },
];
