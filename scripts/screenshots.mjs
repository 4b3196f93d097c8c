// The pictures of the bot's pages in docs/images, taken of the bot itself: people who sign in, join and
// leave over its HTTP API, and clients that follow their rooms. Takes three minutes, two of them for the
// monitor's charts to have something to show; `film`, `film-dark`, `page` or `monitor` as argument takes those alone.
// Needs Chromium, or what CHROMIUM names, and for the film img2webp.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import { startBot } from '../__test__/support/bot.js';
import { launchBrowser } from '../__test__/support/browser.js';
import { signIn } from '../__test__/support/people.js';
import { visit } from '../__test__/support/visitor.js';
import { CAST, film, writeFilm } from './film.mjs';
import { root } from './run.mjs';

const DESKTOP = { width: 1240, height: 720 };
const PHONE = { width: 390, height: 844 };
const WIDE = { width: 1280, height: 708 };

/** Who comes, room by room. The last one is full. */
const PLACES = [
  [1, 'Grace Alan Barbara Frances Niklaus Radia Vint Margaret Donald Leslie Hedy Ken Joan'],
  [2, 'Grace Edsger Donald Joan'],
  [3, 'Alan Margaret Katherine'],
  [4, 'Barbara Edsger Radia Dennis'],
];

const CONNECTIONS = 300;
const RAMP_MS = 25_000;
const LOAD_MS = 100_000;
/** What the rate of updates goes up and down with. */
const WAVE_MS = 30_000;
const LONGEST_PAUSE_MS = 400;

function photograph(page, name) {
  return page.screenshot({ path: join(root, 'docs/images', `${name}.png`) });
}

/** Signs in whoever is named, and gives a function that knows them by name. */
async function gather(bot, names) {
  const people = new Map();
  for (const name of new Set(names)) people.set(name, await signIn(bot.address, name));
  return name => people.get(name);
}

async function photographPage(context, bot) {
  const page = await context.newPage();
  await page.setViewportSize(DESKTOP);
  const ada = await visit(page, bot.address, 'Ada');

  const person = await gather(
    bot,
    PLACES.flatMap(([, names]) => names.split(' ')),
  );
  for (const [room, names] of PLACES.slice().reverse()) {
    for (const name of names.split(' ')) await person(name).join(room);
  }
  await person('Katherine').leave(3);
  await ada.join(2);
  await person('Frances').leave(1);
  await person('Hedy').join(2);
  await ada.shows(2, 6);
  await ada.shows(1, 12);
  // The pointer and the focus stay where the last click was.
  await page.mouse.move(0, 0);
  await page.evaluate(() => document.activeElement.blur());

  await photograph(page, 'page');
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await photograph(page, 'page-dark');
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await page.setViewportSize(PHONE);
  await photograph(page, 'page-phone');
  await page.close();
}

/** A client that follows every room. */
function follow(bot, { cookie }) {
  const { origin } = new URL(bot.address);
  const socket = new WebSocket(bot.url, { headers: { Cookie: cookie }, origin });
  socket.on('open', () => {
    for (const [roomId] of PLACES) socket.send(JSON.stringify({ action: 'JOIN_ROOM', roomId }));
  });
  socket.on('error', error => console.error(error.message));
  return socket;
}

async function photographMonitor(context, bot) {
  const page = await context.newPage();
  await page.setViewportSize(WIDE);
  await page.goto(new URL('/monitor', bot.address).href);

  const person = await gather(bot, ['Tim', 'Adele']);
  const sockets = [];
  const began = performance.now();
  for (let round = 0; ; round += 1) {
    const time = performance.now() - began;
    if (time > LOAD_MS) break;
    const due = Math.min(1, time / RAMP_MS) * CONNECTIONS;
    while (sockets.length < due) sockets.push(follow(bot, person('Tim')));
    const adele = person('Adele');
    await (round % 2 === 0 ? adele.join(3) : adele.leave(3));
    await pause((LONGEST_PAUSE_MS / 2) * (1.1 + Math.sin((2 * Math.PI * time) / WAVE_MS)));
  }
  // The machine that takes the pictures has other things to do, which may hold up the bot.
  await page.locator('#verdict[data-verdict="good"]').waitFor();
  await photograph(page, 'monitor');
  for (const socket of sockets) socket.terminate();
  await page.close();
}

function filmIn(colorScheme, name) {
  return async (context, bot) => {
    const page = await context.newPage();
    await page.emulateMedia({ colorScheme, reducedMotion: 'no-preference' });
    const ada = await visit(page, bot.address, 'Ada');
    const person = await gather(bot, CAST);
    writeFilm(await film(page, ada, person), join(root, 'docs/images', `${name}.webp`));
  };
}

const PICTURES = {
  film: filmIn('light', 'page-moving'),
  'film-dark': filmIn('dark', 'page-moving-dark'),
  page: photographPage,
  monitor: photographMonitor,
};

async function take(picture) {
  const endings = [];
  try {
    const browser = await launchBrowser();
    endings.unshift(() => browser.close());
    const bot = await startBot({ after: ending => endings.unshift(ending) });
    const context = await browser.newContext({
      deviceScaleFactor: 2,
      locale: 'en-GB',
      reducedMotion: 'reduce',
    });
    await PICTURES[picture](context, bot);
  } finally {
    for (const ending of endings) await ending();
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.find(name => !Object.hasOwn(PICTURES, name));
if (unknown) throw new Error(`there is no picture ${unknown}: ${Object.keys(PICTURES).join(', ')}`);
for (const picture of wanted.length > 0 ? wanted : Object.keys(PICTURES)) await take(picture);
