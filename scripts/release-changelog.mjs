// CHANGELOG.md as its sections, in Keep a Changelog form.

const HEADING = /^## \[([^\]]+)\](?: - (\S+))?\s*$/;
const KINDS = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'];

/**
 * @typedef {object} Section
 * @property {string} name a version, or Unreleased
 * @property {string | undefined} date as it stands there
 * @property {string} body Markdown, without the heading
 * @property {number} line the heading's
 */

/**
 * The sections in their order.
 *
 * @param {string} text the whole file
 * @returns {Section[]}
 * @throws {Error} naming the line of a heading that is of another form
 */
export function sections(text) {
  const found = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.startsWith('## ')) {
      const heading = HEADING.exec(line);
      if (!heading) {
        throw new Error(
          `CHANGELOG.md:${index + 1}: \`${line}\` is not of the form \`## [1.2.3] - 2030-12-31\``,
        );
      }
      found.push({ name: heading[1], date: heading[2], line: index + 1, lines: [] });
    } else {
      found.at(-1)?.lines.push(line);
    }
  }
  return found.map(({ lines, ...section }) => ({ ...section, body: lines.join('\n').trim() }));
}

/** The kinds of changes that a section has but Keep a Changelog has not. */
export function unknownKinds({ body }) {
  const kinds = [...body.matchAll(/^### (.*)$/gm)].map(match => match[1].trim());
  return kinds.filter(kind => !KINDS.includes(kind));
}

/** Whether a section says something beside its headings. */
export function isEmpty({ body }) {
  return body.replace(/^#+ .*$/gm, '').trim() === '';
}

/**
 * What changed in one version.
 *
 * @param {string} text the whole file
 * @param {string} version
 * @returns {Section}
 * @throws {Error} where the version has no section, or one that says nothing
 */
export function sectionOf(text, version) {
  const all = sections(text);
  const section = all.find(({ name }) => name === version);
  if (!section) {
    const known = all.map(({ name }) => name).join(', ');
    throw new Error(`CHANGELOG.md has no section ${version}; it has ${known || 'none'}`);
  }
  if (isEmpty(section)) {
    throw new Error(`CHANGELOG.md:${section.line}: the section ${version} says nothing`);
  }
  return section;
}
