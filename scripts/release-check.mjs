// Whether the project may be released as it is.
//
//   node scripts/release-check.mjs           what holds at all times: versions agree, the changelog's form
//   node scripts/release-check.mjs v1.2.3    what a tag needs beside that
//
// GITHUB_REPOSITORY is where the release is made, as owner/name: provenance is refused for another.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isEmpty, sections, unknownKinds } from './release-changelog.mjs';
import { root } from './run.mjs';

const VERSION = /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/;

/**
 * What is wrong, a line each.
 *
 * @param {string} folder the project's
 * @param {{ tag?: string, repository?: string, today?: string }} [release] `today` as 2030-12-31
 * @returns {string[]}
 */
export function problems(folder, { tag, repository, today = day() } = {}) {
  const read = name => readFileSync(join(folder, name), 'utf8');
  const manifest = JSON.parse(read('package.json'));
  const { version } = manifest;
  const found = [
    ...differences(version, otherVersions(read)),
    ...changelogProblems(read('CHANGELOG.md'), today),
  ];
  if (tag === undefined) return found;

  if (!VERSION.test(version)) found.push(`package.json: ${version} is no version to release`);
  if (tag !== `v${version}`)
    found.push(`the tag ${tag} is not v${version}, as package.json has it`);
  found.push(...releaseProblems(read('CHANGELOG.md'), version));
  if (repository !== undefined && repositoryOf(manifest) !== repository.toLowerCase()) {
    found.push(
      `package.json: \`repository\` has to be https://github.com/${repository}, or npm refuses the provenance`,
    );
  }
  return found;
}

function day() {
  return new Date().toISOString().slice(0, 10);
}

/** Every other place that has the version, with what it says there. */
function otherVersions(read) {
  const lock = JSON.parse(read('package-lock.json'));
  return {
    'package-lock.json': lock.version,
    'package-lock.json, packages': lock.packages[''].version,
    'Cargo.toml': /^\[package\][^[]*?^version = "([^"]+)"/ms.exec(read('Cargo.toml'))?.[1],
    'Cargo.lock': /^name = "roomcast"\r?\nversion = "([^"]+)"/m.exec(read('Cargo.lock'))?.[1],
  };
}

function differences(version, others) {
  return Object.entries(others)
    .filter(([, other]) => other !== version)
    .map(([place, other]) => `${place} has version ${other}, package.json ${version}`);
}

function changelogProblems(text, today) {
  let all;
  try {
    all = sections(text);
  } catch (error) {
    return [error.message];
  }
  const found = [];
  const say = ({ line }, what) => found.push(`CHANGELOG.md:${line}: ${what}`);
  if (all[0]?.name !== 'Unreleased') found.push('CHANGELOG.md does not begin with [Unreleased]');
  for (const [index, section] of all.entries()) {
    const { name, date } = section;
    for (const kind of unknownKinds(section)) say(section, `[${name}] has a heading '${kind}'`);
    if (index === 0 && name === 'Unreleased') continue;
    if (!VERSION.test(name)) say(section, `[${name}] is no version`);
    if (!isDay(date)) say(section, `[${name}] has no date of the form 2030-12-31`);
    else if (date > today) say(section, `[${name}] is dated ${date}, which has not come yet`);
    if (all.findIndex(other => other.name === name) < index)
      say(section, `[${name}] is there twice`);
    if (index > 1 && date > all[index - 1].date)
      say(section, `[${name}] is newer than what is above`);
  }
  return found;
}

function isDay(text = '') {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

/** What the changelog lacks for `version`. Its form is another matter. */
function releaseProblems(text, version) {
  let all;
  try {
    all = sections(text);
  } catch {
    return [];
  }
  const found = [];
  const [unreleased, newest] = all;
  if (unreleased && unreleased.name === 'Unreleased' && !isEmpty(unreleased)) {
    found.push(
      `CHANGELOG.md:${unreleased.line}: [Unreleased] has entries that belong to [${version}]`,
    );
  }
  const section = all.find(({ name }) => name === version);
  if (!section) found.push(`CHANGELOG.md has no section [${version}]`);
  else if (isEmpty(section)) found.push(`CHANGELOG.md:${section.line}: [${version}] says nothing`);
  else if (section !== newest) found.push(`CHANGELOG.md: [${version}] is not the newest section`);
  return found;
}

/** `owner/name` of a manifest's repository at GitHub. */
function repositoryOf({ repository }) {
  const url = typeof repository === 'string' ? repository : (repository?.url ?? '');
  const found =
    /^(?:github:|(?:git\+)?(?:https|ssh|git):\/\/(?:git@)?github\.com\/)?([^/\s]+\/[^/\s]+?)(?:\.git)?$/;
  return found.exec(url)?.[1].toLowerCase();
}

if (resolve(process.argv[1] ?? '') === fileURLToPath(import.meta.url)) {
  const [tag, ...others] = process.argv.slice(2);
  if (others.length > 0) {
    console.error('Usage: node scripts/release-check.mjs [TAG]');
    process.exit(2);
  }
  const found = problems(root, { tag, repository: process.env.GITHUB_REPOSITORY });
  for (const problem of found) console.error(problem);
  if (found.length > 0) process.exitCode = 1;
  else console.log(tag ? `${tag} may be released.` : 'Versions agree, the changelog is in form.');
}
