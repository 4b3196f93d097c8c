'use strict';

const { once } = require('node:events');
const { readdir, rm } = require('node:fs/promises');
const net = require('node:net');
const path = require('node:path');

const LOCK = /^lock-(\d+)$/;

/**
 * Keeps a folder for this process: two PGlites on one folder destroy it.
 *
 * The lock is a listening socket in the folder. Unlike a file with a process id it is gone with its
 * process however that ends, and it holds between containers that share a volume. A socket that a
 * dead process left is not replaced but outnumbered, since of all who try only one can make the next
 * number.
 *
 * @param {string} folder
 * @returns {Promise<() => Promise<void>>} lets go of the folder
 * @throws {Error} where another process has it
 */
async function lockFolder(folder) {
  const older = await locksIn(folder);
  if (await isHeld(folder, older.at(-1))) throw inUse(folder);

  const own = (older.at(-1) ?? 0) + 1;
  const server = net.createServer(socket => socket.destroy()).unref();
  try {
    server.listen(lockFile(folder, own));
    await once(server, 'listening');
  } catch (error) {
    if (error.code === 'EADDRINUSE') throw inUse(folder);
    throw new Error(`DATA_DIR ${folder} cannot be locked: ${error.message}`, { cause: error });
  }
  await Promise.all(older.map(number => rm(lockFile(folder, number), { force: true })));
  return () => new Promise(resolve => server.close(() => resolve()));
}

async function locksIn(folder) {
  const numbers = (await readdir(folder)).map(name => Number(LOCK.exec(name)?.[1]));
  return numbers.filter(number => number > 0).sort((a, b) => a - b);
}

async function isHeld(folder, number) {
  if (number === undefined) return false;
  const socket = net.connect(lockFile(folder, number));
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (!['ECONNREFUSED', 'ENOENT'].includes(error.code)) throw error;
    return false;
  } finally {
    socket.destroy();
  }
}

const lockFile = (folder, number) => path.join(folder, `lock-${number}`);

const inUse = folder =>
  new Error(`DATA_DIR ${folder} is in use by another bot: give each its own, or use DATABASE_URL`);

module.exports = { lockFolder };
