'use strict';

const { mkdir } = require('node:fs/promises');
const path = require('node:path');
const { PGlite } = require('@electric-sql/pglite');
const { lockFolder } = require('./folderLock');

/**
 * A PostgreSQL within this process: in memory, or in a folder that no second process has open.
 *
 * @param {string} [folder]
 */
function openPglite(folder) {
  const opening = openIn(folder);
  // Whoever asks first hears of it.
  opening.catch(() => {});
  return {
    script: async text => (await opening).db.exec(text),
    query: async (text, values) => (await (await opening).db.query(text, values)).rows,
    async close() {
      const { db, unlock } = await opening;
      await db.close();
      await unlock?.();
    },
  };
}

async function openIn(folder) {
  if (!folder) return { db: await PGlite.create() };
  await mkdir(folder, { recursive: true });
  const unlock = await lockFolder(folder);
  return { db: await PGlite.create(path.join(folder, 'pgdata')), unlock };
}

module.exports = { openPglite };
