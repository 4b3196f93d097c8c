'use strict';

// The documents: each link leads somewhere, each file that they name is there, and each block of code is
// held by a test. This is the register of which one.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');
const {
  blocksOf,
  documents,
  proseOf,
  root,
  textOf,
  withoutBlocks,
  wordsOf,
} = require('./support/documents');

/** The test that goes through all blocks of a language by itself, if one does. */
function sweepOf(document, language) {
  if (language === 'sh') return 'docs-commands';
  return document === 'docs/protocol.md' && language === 'json' ? 'docs-protocol' : undefined;
}

/** Held by nothing but its reader, and why. */
const SAMPLE = { because: 'what one run has printed' };
const OF_THE_READER = { because: 'what the page shows is its own affair' };

/**
 * Which test runs the blocks under a heading, in their order; JavaScript is read by docs-types, too. A new
 * block is to be added here together with what runs it.
 */
const HELD = {
  'README.md': {
    'Add it to your bot': { js: ['docs-bot', 'docs-bot', 'docs-bot'], html: ['docs-bot'] },
    'Behind nginx': { nginx: ['nginx-address'] },
    'Several processes': { js: ['docs-cluster'] },
  },
  'docs/client.md': {
    'In a page': { js: ['docs-bot'], html: ['docs-bot'] },
    'In a bundle': { ts: [OF_THE_READER] },
    Polling: { js: ['docs-bot'] },
  },
  'docs/deploy.md': {
    'nginx and TLS': { nginx: ['nginx-config'] },
    'Who the client is, behind a proxy': { js: ['docs-deploy'], nginx: ['nginx-address'] },
    'Who may connect': { js: ['docs-deploy', 'docs-deploy'] },
    'Stopping and restarting': {
      js: ['deploy-pm2', 'docs-deploy', 'docs-deploy', 'deploy-stop', 'docs-deploy'],
    },
    systemd: { ini: ['deploy-systemd'] },
    pm2: { js: ['deploy-pm2', 'deploy-pm2'] },
    Docker: { dockerfile: ['deploy-docker', 'deploy-docker'], text: ['deploy-docker'] },
    'Rolling restarts': { nginx: ['nginx-config'] },
    'One process or several': { js: ['docs-cluster'] },
    'Watching it': { js: ['docs-deploy'] },
  },
  'docs/migrate-from-ws.md': {
    'In short': { js: ['docs-others', 'docs-others', 'docs-others'] },
    'Step 2: put the old room server aside': { js: ['migration', 'migration'] },
    'Step 3: add the new one': { js: ['migration', 'migration'] },
    'Step 5: restart': { js: ['migration'] },
    'Both side by side': { js: ['migration-trial', 'migration-trial', 'migration-trial'] },
    "The web app's short snippet": { js: ['guide-page'] },
    'What has no counterpart': { js: ['migration-counterparts'] },
  },
  'docs/protocol.md': {
    Connecting: { text: ['docs-protocol'] },
    'A client that does everything right': { js: ['docs-protocol'] },
  },
  'docs/reliability.md': { 'A run': { text: [SAMPLE] } },
  'docs/scale.md': {
    'Setting it up': { js: ['docs-cluster'] },
    'How many processes': {
      js: ['docs-cluster', 'docs-cluster', 'docs-cluster'],
      nginx: ['docs-cluster'],
    },
    'What operators see': {
      js: ['docs-cluster', 'docs-cluster'],
      text: ['docs-cluster'],
      yaml: ['docs-cluster'],
    },
    'On paper: a million clients in 10 000 rooms': {
      js: ['docs-cluster'],
      nginx: ['docs-cluster'],
    },
  },
  'examples/bot/README.md': {
    'What is where': { '': ['docs-others'] },
    HTTP: { sql: ['docs-others'] },
  },
};

/** A heading's anchor, as GitHub makes it. */
const anchorOf = heading =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = document =>
  [...withoutBlocks(document).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));

/** What a document links to or shows: `[text](target)`, `<a href>`, `<img src>`, `<source srcset>`. */
const targetsOf = document =>
  [...proseOf(document).matchAll(/\]\(([^)\s]+)\)|\b(?:href|src|srcset)="([^"\s]+)"/g)].map(
    ([, link, attribute]) => link ?? attribute,
  );

function assertLeads(document, target) {
  if (/^https?:/.test(target)) return;
  const [file, anchor] = target.split('#');
  const linked = file ? path.join(path.dirname(document), file) : document;
  assert.ok(fs.existsSync(path.join(root, linked)), `${target} is not there`);
  if (anchor) assert.ok(anchorsOf(linked).includes(anchor), `${target} has no such heading`);
}

/** Paths that are the project's by their first folder. */
const OURS = /^(\.ci|\.github|__test__|bench|client|compat|docs|examples|fuzz|lib|scripts|soak)\//;

/** Made by what the documents are about. */
const GENERATED = /^(fuzz\/target|lib\/addon)\//;

function assertThere(document, word) {
  const places = [root, path.join(root, path.dirname(document))];
  assert.ok(
    places.some(place => fs.existsSync(path.join(place, word))),
    word,
  );
}

for (const document of documents) {
  describe(document, () => {
    it('links to what is there', () => {
      for (const target of targetsOf(document)) assertLeads(document, target);
    });

    it('names files that there are', () => {
      for (const word of wordsOf(document)) {
        const named = OURS.test(word) && !/[\s*<…]/.test(word) && !GENERATED.test(word);
        if (named) assertThere(document, word);
      }
    });
  });
}

it('a link that leads nowhere is found, and so is a file that is not there', () => {
  for (const target of ['docs/no.md', 'docs/scale.md#no', '#no', 'docs/images/no.png']) {
    assert.throws(() => assertLeads('README.md', target), assert.AssertionError);
  }
  assert.ok(targetsOf('README.md').some(target => target.endsWith('.png')));
  assert.throws(() => assertThere('README.md', 'lib/no.js'), assert.AssertionError);
});

it('what the project is about has a document each', () => {
  const names = documents.map(document => path.basename(document, '.md'));
  for (const name of ['protocol', 'architecture', 'deploy', 'scale', 'reliability', 'benchmarks']) {
    assert.ok(names.includes(name), name);
  }
  assert.ok(names.some(name => name.startsWith('migrate')));
});

describe('every block of code is held by a test', () => {
  const held = new Map();
  for (const [document, headings] of Object.entries(HELD)) {
    for (const [heading, languages] of Object.entries(headings)) {
      for (const [language, holders] of Object.entries(languages)) {
        for (const [nth, holder] of holders.entries()) {
          held.set(`${document} > ${heading} > ${language} ${nth}`, { holder });
        }
      }
    }
  }

  /** A test's own text, and that of what it takes from support/. */
  function sourceOf(file, seen = new Set()) {
    if (seen.has(file)) return '';
    seen.add(file);
    const text = fs.readFileSync(file, 'utf8');
    const others = [...text.matchAll(/require\('(\.\/[\w/-]+)'\)/g)].map(([, name]) =>
      path.join(path.dirname(file), `${name}.js`),
    );
    return [text, ...others.filter(fs.existsSync).map(other => sourceOf(other, seen))].join('\n');
  }

  for (const document of documents) {
    const counts = new Map();
    for (const { heading, language, code, place } of blocksOf(document)) {
      const kind = `${document} > ${heading} > ${language}`;
      const nth = counts.get(kind) ?? 0;
      counts.set(kind, nth + 1);
      const entry = held.get(`${kind} ${nth}`);
      held.delete(`${kind} ${nth}`);
      const [first] = code.trim().split('\n');
      const name = `${place} ${language}: ${first.slice(0, 60)}`;
      it(name, t => {
        const holder = entry?.holder ?? sweepOf(document, language);
        assert.ok(holder, `nobody runs it: see HELD in ${path.basename(__filename)}`);
        if (holder.because) return t.diagnostic(holder.because);
        const source = sourceOf(path.join(__dirname, `${holder}.test.js`));
        const literal = entry ? heading : language;
        const named = [`'${literal}'`, `"${literal}"`].some(one => source.includes(one));
        assert.ok(named, `${holder} is not about '${literal}'`);
      });
    }
  }

  it('the register has none that is not there any more', () => {
    assert.deepEqual([...held.keys()], []);
  });
});

it('docs/architecture.md has every file of lib/ and src/, and no other', () => {
  const text = textOf('docs/architecture.md');
  const layout = text.slice(text.indexOf('## Layout and floors'));
  const words = [...layout.matchAll(/`([\w./-]+)`/g)].map(([, word]) => word);
  for (const [folder, extension] of [
    ['lib', '.js'],
    ['src', '.rs'],
  ]) {
    const there = fs.readdirSync(path.join(root, folder), { recursive: true });
    const known = [...words.map(word => path.basename(word)), `lib${extension}`];
    for (const name of there.filter(one => path.dirname(one) === '.' && one.endsWith(extension))) {
      // One may go by its folder's name.
      const isNamed = known.includes(name) || words.includes(`${path.parse(name).name}/`);
      assert.ok(isNamed, `${folder}/${name}`);
    }
    const ours = words.filter(
      word => word.endsWith(extension) && !/^(index|room-client)/.test(path.basename(word)),
    );
    for (const word of ours) {
      const isThere = there.some(one => path.basename(one) === path.basename(word));
      assert.ok(isThere, word);
    }
  }
});
