// `node scripts/release-notes.mjs 1.2.3`: what CHANGELOG.md says of that version, for the release's page.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sectionOf } from './release-changelog.mjs';
import { root } from './run.mjs';

const [version, ...others] = process.argv.slice(2);
if (version === undefined || others.length > 0) {
  console.error('Usage: node scripts/release-notes.mjs VERSION');
  process.exit(2);
}
try {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  console.log(sectionOf(text, version.replace(/^v/, '')).body);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
