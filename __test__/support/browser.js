'use strict';

// A real browser: Debian's Chromium, or what CHROMIUM names, driven by playwright-core.

const fs = require('node:fs');
const path = require('node:path');
const { after, before } = require('node:test');
const { chromium } = require('playwright-core');
const { unless } = require('./installed');

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** What a browser does of its own accord is switched off: a test loads 127.0.0.1 alone. */
const ARGUMENTS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
  // Chromium's sandbox does not start as root, which a container's user is.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

/** Playwright takes a path, not a name. */
function find() {
  const directories = process.env.PATH.split(path.delimiter);
  const places = NAMES.flatMap(name => directories.map(directory => path.join(directory, name)));
  return [process.env.CHROMIUM, ...places].find(place => place && fs.existsSync(place));
}

/** The options of a test, or a suite, that needs a browser. */
const needsBrowser = { skip: unless(() => find() !== undefined, 'chromium is') };

/** Starts a browser. Whoever starts it closes it. */
function launchBrowser(options) {
  return chromium.launch({ executablePath: find(), args: ARGUMENTS, ...options });
}

/**
 * One browser for the tests of a suite. The function that it returns opens a page that shares nothing
 * with any other (cookies, cache, storage), goes with its test, and makes the test fail for what the page
 * throws.
 *
 * @returns {(t: import('node:test').TestContext, options?: import('playwright-core').BrowserContextOptions)
 *   => Promise<import('playwright-core').Page>}
 */
function useBrowser() {
  let browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser?.close());

  return async (t, options) => {
    const context = await browser.newContext(options);
    const thrown = [];
    context.on('weberror', event => thrown.push(event.error()));
    t.after(async () => {
      await context.close();
      if (thrown.length > 0) throw new AggregateError(thrown, 'the page threw');
    });
    return context.newPage();
  };
}

module.exports = { launchBrowser, needsBrowser, useBrowser };
