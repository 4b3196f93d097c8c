// The moving picture of the bot's page: people come and go for nine seconds, and at the end all is as it
// was at the beginning, so that it can go round. It takes img2webp, of Debian's package webp.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const SIZE = { width: 1000, height: 690 };

/** How long each picture is seen, ms: one of those in which something moves, and one at rest. */
const STEP_MS = 50;
const REST_MS = 720;

/** Who is there already. */
const BEFORE = [
  [1, 'Margaret Leslie Ken Niklaus'],
  [2, 'Grace Edsger Joan'],
  [3, 'Alan Katherine'],
  [4, 'Barbara Radia'],
];

/** What happens, in its order. Ada is the one whose page it is. */
const SCENE = [
  ['Hedy', 'join', 2],
  ['Vint', 'join', 1],
  ['Edith', 'join', 4],
  ['Ada', 'join', 4],
  ['Hedy', 'leave', 2],
  ['Frances', 'join', 3],
  ['Vint', 'leave', 1],
  ['Ada', 'leave', 4],
  ['Frances', 'leave', 3],
  ['Edith', 'leave', 4],
];

/** Those whom the film needs, beside Ada. */
export const CAST = [
  ...new Set([
    ...BEFORE.flatMap(([, names]) => names.split(' ')),
    ...SCENE.map(([name]) => name).filter(name => name !== 'Ada'),
  ]),
];

/** Every time of day on the page is to be one and the same, or the last picture is not the first. */
const LONGEST_MS = 45_000;

/**
 * Takes the pictures.
 *
 * @param {import('playwright-core').Page} page
 * @param {import('../__test__/support/visitor.js').Visitor} ada who has the page open
 * @param {(name: string) => import('../__test__/support/people.js').Person} person
 * @returns {Promise<{ png: Buffer, ms: number }[]>}
 */
export async function film(page, ada, person) {
  await page.setViewportSize(SIZE);
  const counts = new Map();
  const change = async ([name, act, room]) => {
    await (name === 'Ada' ? ada : person(name))[act](room);
    counts.set(room, (counts.get(room) ?? 0) + (act === 'join' ? 1 : -1));
    await ada.shows(room, counts.get(room));
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement.blur());
  };
  for (const [room, names] of BEFORE) {
    for (const name of names.split(' ')) await change([name, 'join', room]);
  }
  await untilMinuteBegins();
  // Twice unseen: then the news hold nothing else, however much of them is seen.
  for (const event of [...SCENE, ...SCENE]) await change(event);

  const camera = await openCamera(page);
  const frames = [(await camera.shots()).pop()];
  for (const event of SCENE) {
    await change(event);
    frames.push(...(await camera.shots()));
  }
  await camera.close();
  const last = frames.pop();
  if (!last.png.equals(frames[0].png)) throw new Error('the film does not end as it begins');
  return frames;
}

/**
 * Joins the pictures to one that goes round, without loss: letters stay sharp.
 *
 * @param {{ png: Buffer, ms: number }[]} frames
 * @param {string} file
 */
export function writeFilm(frames, file) {
  const folder = mkdtempSync(join(tmpdir(), 'roomcast-film-'));
  try {
    const options = ['-loop', '0', '-min_size'];
    for (const [index, { png, ms }] of frames.entries()) {
      const still = join(folder, `${index}.png`);
      writeFileSync(still, png);
      options.push('-d', `${ms}`, '-lossless', '-m', '6', still);
    }
    execFileSync('img2webp', [...options, '-o', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    throw new Error('img2webp is not installed: it is in the package webp', { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for a minute of which enough is left. */
function untilMinuteBegins() {
  const passed = Date.now() % 60_000;
  return pause(passed + LONGEST_MS > 60_000 ? 60_000 - passed : 0);
}

/** Holds all that moves by itself, and lets it go on a step at a time, as long as a picture takes. */
async function openCamera(page) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Animation.enable');
  await devtools.send('Animation.setPlaybackRate', { playbackRate: 0 });
  const moving = time =>
    page.evaluate(at => {
      const animations = document.getAnimations();
      for (const animation of animations) {
        if (at >= animation.effect.getComputedTiming().endTime) animation.finish();
        else animation.currentTime = at;
      }
      return document.getAnimations().length > 0;
    }, time);
  return {
    async shots() {
      const shots = [];
      for (let time = STEP_MS; await moving(time); time += STEP_MS) {
        shots.push({ png: await page.screenshot(), ms: STEP_MS });
      }
      shots.push({ png: await page.screenshot(), ms: REST_MS });
      return shots;
    },
    close: () => devtools.detach(),
  };
}
