'use strict';

const assert = require('node:assert/strict');

const PLACEHOLDERS = {
  timestamp: String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`,
  epoch: String.raw`[^"\\\x00-\x1f]{1,64}`,
  seq: String.raw`0|[1-9]\d*`,
};

/**
 * Compares a message with its one right form, byte for byte. `<timestamp>`, `<epoch>` and `<seq>`
 * in the template stand for what no test can know; everything else is literal.
 *
 * @param {string} text as it came
 * @param {string} template
 * @returns {{ timestamp?: string, epoch?: string, seq?: number }} what stood in the placeholders' places
 */
function assertText(text, template) {
  const escaped = template.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const pattern = escaped.replace(
    /<(timestamp|epoch|seq)>/g,
    (_, name) => `(?<${name}>${PLACEHOLDERS[name]})`,
  );
  const match = new RegExp(`^${pattern}$`).exec(text);
  assert.ok(match, `\n  got:      ${text}\n  expected: ${template}`);
  const found = { ...match.groups };
  if (found.timestamp !== undefined)
    assert.equal(new Date(found.timestamp).toISOString(), found.timestamp);
  if (found.seq !== undefined) found.seq = Number(found.seq);
  return found;
}

module.exports = { assertText };
