'use strict';

// Whether what a page shows can be read, and pressed.

/** WCAG 2.2, 1.4.3: the contrast of text up to 24 px with what is behind it. */
const LEAST_CONTRAST = 4.5;
/** WCAG 2.2, 2.5.5: what a finger hits, in CSS pixels. */
const FINGER = 44;

// Runs in the page.
function lookAtTexts(least) {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parse = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, ground) =>
    ground.map((value, index) => top[index] * (top[3] / 255) + value * (1 - top[3] / 255));
  const luminance = rgb => {
    const [r, g, b] = rgb.map(value => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const groundOf = element => {
    const above = [];
    for (let one = element; one; one = one.parentElement) above.unshift(one);
    return above.reduce(
      (ground, one) => over(parse(getComputedStyle(one).backgroundColor), ground),
      [255, 255, 255],
    );
  };
  const contrast = (colour, ground) => {
    const [a, b] = [luminance(over(parse(colour), ground)), luminance(ground)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  let looked = 0;
  const look = (words, colour, ground) => {
    looked += 1;
    const value = contrast(colour, ground);
    if (value < least) faint.push(`${words}: ${value.toFixed(2)}`);
  };
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const words = texts.currentNode.data.trim();
    if (!words || !element.checkVisibility()) continue;
    look(words, getComputedStyle(element).color, groundOf(element));
  }
  for (const element of document.querySelectorAll('[data-initial]')) {
    if (!element.checkVisibility()) continue;
    const { color, backgroundColor } = getComputedStyle(element, '::before');
    look(`initial of ${element.textContent}`, color, parse(backgroundColor).slice(0, 3));
  }
  return { looked, faint };
}

// Runs in the page.
function lookAtWidths() {
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  return [...document.body.querySelectorAll('*')]
    .filter(element => element.getBoundingClientRect().right > clientWidth)
    .map(element => element.outerHTML.slice(0, 80));
}

// Runs in the page.
function lookAtTargets(finger) {
  return [...document.querySelectorAll('button, input, a')]
    .filter(element => element.checkVisibility())
    .map(element => [element.textContent || element.id, element.getBoundingClientRect()])
    .filter(([, { width, height }]) => width < finger || height < finger)
    .map(([words, { width, height }]) => `${words}: ${width} x ${height}`);
}

/** The texts that are seen: how many, and which have too little contrast, with how much they have. */
const faintTexts = page => page.evaluate(lookAtTexts, LEAST_CONTRAST);

/** What is wider than the page, where the page can be moved sideways. */
const overflowing = page => page.evaluate(lookAtWidths);

/** What is to be pressed and smaller than a finger. */
const smallTargets = page => page.evaluate(lookAtTargets, FINGER);

module.exports = { faintTexts, overflowing, smallTargets };
