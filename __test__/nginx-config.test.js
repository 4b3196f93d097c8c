'use strict';

// docs/deploy.md on its nginx configuration: nginx takes it without a word, and each line has a reason.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const { codeBlocks, codeUnder } = require('./support/markdown');
const { documented, needsNginx, startNginx, substitute } = require('./support/nginx');

const document = path.join(__dirname, '../docs/deploy.md');

/** What only holds others, and the map's own line. */
const BLOCKS = ['events', 'http', 'location', 'default'];

/** The section's prose and tables, without its code. */
function proseOf(heading) {
  const text = fs.readFileSync(document, 'utf8');
  const from = text.indexOf(`\n## ${heading}\n`);
  const section = text.slice(from, text.indexOf('\n## ', from + 1));
  return section.replace(/^```[\s\S]*?^```/gm, '');
}

/** The directives of a configuration, each once; of proxy_set_header, the headers. */
function directivesOf(configuration) {
  const names = new Set();
  for (const [, name, value] of configuration.matchAll(/^ *([a-z_]\w*) +(\S+)/gm)) {
    if (name === 'proxy_set_header') names.add(value);
    else names.add(name);
  }
  return names;
}

it('every directive has a reason', () => {
  const prose = proseOf('nginx and TLS');
  for (const name of directivesOf(documented())) {
    if (BLOCKS.includes(name)) continue;
    assert.match(prose, new RegExp(`\`${name}\\b`), `${name} has no reason`);
  }
});

it('the upstream of two bots is that of one, with one more', () => {
  const two = codeUnder(codeBlocks(document), 'Rolling restarts', 'nginx');
  const one = /^ {2}upstream bot \{[\s\S]*?^ {2}\}/m.exec(documented())[0].replace(/^ {2}/gm, '');
  const [server] = /^.*server 127\.0\.0\.1:3000.*\n/m.exec(one);
  assert.equal(two, substitute(one, [[server, `${server}${server.replace('3000', '3001')}`]]));
});

describe('the configuration', needsNginx, () => {
  it('is taken by nginx without a warning', async t => {
    const nginx = await startNginx(t, { bots: [1] });
    const { status, stderr } = nginx.check();
    assert.equal(status, 0);
    assert.doesNotMatch(stderr, /\[(warn|emerg|alert)\]/);
  });
});
