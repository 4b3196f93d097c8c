'use strict';

// A bot's folder with roomcast as npm installs it, and with packages of this repository beside it.

const fs = require('node:fs');
const path = require('node:path');
const { abiOf, thisHost } = require('../../lib/addon/host');
const { addonFile, layProject } = require('./package');

const root = path.join(__dirname, '../..');
const NEEDED = Object.keys(require('../../package.json').dependencies);

/**
 * @param {import('node:test').TestContext} t
 * @param {...string} packages what the bot needs besides
 * @returns {string} the folder
 */
function layBotFolder(t, ...packages) {
  const project = layProject(t);
  project.addPlatform(abiOf(thisHost()), { file: addonFile() });
  for (const name of [...NEEDED, ...packages]) {
    const [target, place] = [root, project.folder].map(one => path.join(one, 'node_modules', name));
    fs.symlinkSync(target, place, 'junction');
  }
  return project.folder;
}

module.exports = { layBotFolder };
