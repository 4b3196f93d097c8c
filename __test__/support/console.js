'use strict';

/** What a page's scripts write to its console from now on, line by line. */
function linesOf(page) {
  const lines = [];
  page.on('console', message => {
    // What the browser itself complains of there, such as an icon that is missing, has no arguments.
    if (message.args().length > 0) lines.push(message.text());
  });
  return lines;
}

/** Runs code as if somebody had typed it into the console of the page's developer tools. */
async function typeInto(page, code) {
  const devTools = await page.context().newCDPSession(page);
  const { exceptionDetails } = await devTools.send('Runtime.evaluate', {
    expression: code,
    replMode: true,
  });
  await devTools.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
}

module.exports = { linesOf, typeInto };
