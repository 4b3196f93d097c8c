'use strict';

// What the README shows: the pictures are there, one of them moves, and not for those who do not want that.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, it } = require('node:test');

const root = path.join(__dirname, '..');
const readme = fs.readFileSync(path.join(root, 'README.md'), 'utf8');

describe('the pictures of the README', () => {
  const pictures = [...readme.matchAll(/(?:src|srcset)="([^"]+)"|!\[[^\]]*\]\(([^)]+)\)/g)].map(
    ([, html, markdown]) => html ?? markdown,
  );

  it('are there', () => {
    assert.ok(pictures.length > 5);
    for (const picture of pictures) assert.ok(fs.existsSync(path.join(root, picture)), picture);
  });

  it('say in words what they show', () => {
    for (const [image] of readme.matchAll(/<img [^>]*>/g)) assert.match(image, /alt="[^"]{20,}"/);
    for (const [, alt] of readme.matchAll(/!\[([^\]]*)\]/g)) assert.ok(alt.length > 20, alt);
  });

  it('stand still for those who want that', () => {
    const picture = /<picture>[\s\S]*?<\/picture>/.exec(readme)[0];
    const sources = [...picture.matchAll(/media="([^"]+)" srcset="([^"]+)"/g)];
    const still = sources.filter(([, media]) => media.includes('prefers-reduced-motion: reduce'));
    assert.equal(still.length, 2);
    for (const [, , file] of still) assert.match(file, /\.png$/);
    // The first that fits is taken.
    assert.deepEqual(sources.slice(0, 2), still);
  });

  for (const name of ['page-moving', 'page-moving-dark']) {
    it(`move for some seconds, again and again, and are not large: ${name}`, t => {
      const { size, frames, ms, loops } = readWebp(`docs/images/${name}.webp`);
      t.diagnostic(`${size} bytes, ${frames} frames, ${ms} ms`);
      assert.equal(loops, 0);
      assert.ok(size < 600_000, `${size} bytes`);
      assert.ok(ms >= 8_000 && ms <= 12_000, `${ms} ms`);
      assert.ok(frames > 20, `${frames} frames`);
    });
  }
});

/** What the container of an animated WebP says of it (RFC 9649, section 2.7). */
function readWebp(file) {
  const bytes = fs.readFileSync(path.join(root, file));
  assert.equal(bytes.toString('latin1', 8, 12), 'WEBP');
  let frames = 0;
  let ms = 0;
  let loops;
  for (let at = 12; at < bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    if (name === 'ANIM') loops = bytes.readUInt16LE(at + 12);
    if (name === 'ANMF') {
      frames += 1;
      ms += bytes.readUIntLE(at + 20, 3);
    }
    at += 8 + length + (length % 2);
  }
  return { size: bytes.length, frames, ms, loops };
}
