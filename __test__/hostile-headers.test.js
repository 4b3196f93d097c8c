'use strict';

// Request heads that have brought down others: more headers than anybody keeps (ws, CVE-2024-37890),
// offers that take for ever to parse (ws, CVE-2021-32640), and heads in pieces so small that parsing
// them over and over burns the processor (tungstenite, RUSTSEC-2023-0065; what that costs here is
// counted beside the parser). Where time is the harm, a test that fails is one that does not end.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { openRaw, upgradeRequest } = require('./support/raw');
const { FORMS } = require('./support/server');
const { watchEnd } = require('./support/violations');

/** Nearly all that a head may have. */
const MUCH = 15_000;

/** So many headers of one letter, as lines. */
const filler = count => 'a:b\r\n'.repeat(count);

/** A good request with lines in front of its headers, and behind them. */
function withLines(before, behind) {
  const [start, ...lines] = upgradeRequest().split('\r\n');
  return `${start}\r\n${before}${lines.slice(0, -2).join('\r\n')}\r\n${behind}\r\n`;
}

const HOSTILE_LISTS = {
  'blanks without end': `a${' '.repeat(MUCH)}b`,
  'tabs without end': `a${'\t'.repeat(MUCH)},b`,
  'commas without end': ','.repeat(MUCH),
  'blanks and commas': ' ,'.repeat(MUCH / 2),
  'offers without end': 'x,'.repeat(MUCH / 2),
  'parameters without end': `permessage-deflate${';a'.repeat(MUCH / 2)}`,
  'quotes without end': 'a="'.repeat(MUCH / 3),
  'escapes without end': `a="${'\\"'.repeat(MUCH / 2 - 10)}`,
  'names of the language': '__proto__; constructor=1, constructor; __proto__="toString"',
};

for (const form of FORMS) {
  describe(`a hostile head, ${form}`, () => {
    it('of thousands of headers behind those of the handshake is taken or refused, and no more', async t => {
      const server = await startHostile(t, { form });
      for (const count of [1_999, 2_000, 2_001, 2_500, 3_000]) {
        const raw = await openRaw(server);
        raw.write(withLines('', filler(count)));
        // Node keeps 2 000 of them and drops the others, or refuses the head; our own limit is 100.
        const { status } = await raw.response();
        const right = form === 'standalone' ? [431] : [101, 431];
        assert.ok(right.includes(status), `${status} for ${count}`);
        raw.terminate();
      }
    });

    it('of thousands of headers in front of those of the handshake is no handshake', async t => {
      const server = await startHostile(t, { form });
      for (const count of [1_999, 2_000, 2_001, 2_500, 3_000]) {
        const raw = watchEnd(await openRaw(server));
        raw.write(withLines(filler(count), ''));
        const { status } = await raw.response();
        // Node has dropped what came last: it may not even see that a WebSocket is asked for.
        const right = form === 'standalone' ? [431] : [200, 400, 426, 431];
        assert.ok(right.includes(status), `${status} for ${count}`);
        raw.terminate();
      }
    });

    for (const header of [
      'Sec-WebSocket-Protocol',
      'Sec-WebSocket-Extensions',
      'X-Forwarded-For',
    ]) {
      it(`with a hostile ${header} is answered as if that were not there`, async t => {
        const server = await startHostile(t, { form, trustProxy: 2 });
        for (const [name, value] of Object.entries(HOSTILE_LISTS)) {
          const raw = await openRaw(server);
          raw.write(upgradeRequest({ headers: { [header]: value } }));
          const { status, headers } = await raw.response();
          assert.equal(status, 101, name);
          assert.deepEqual(
            Object.keys(headers).sort(),
            ['connection', 'sec-websocket-accept', 'upgrade'],
            name,
          );
          assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
          raw.terminate();
        }
      });
    }

    it('with a hostile Upgrade, Connection, Origin or Host is told yes or no', async t => {
      const allowedOrigins = ['https://page.example'];
      const server = await startHostile(t, { form, allowedOrigins });
      for (const [name, value] of Object.entries(HOSTILE_LISTS)) {
        for (const [header, statuses] of [
          ['Upgrade', [200, 400, 426]],
          ['Connection', [200, 400]],
          ['Origin', [403]],
          ['Host', [400, 101]],
        ]) {
          const raw = await openRaw(server);
          raw.write(upgradeRequest({ headers: { [header]: value } }));
          const { status } = await raw.response();
          assert.ok(statuses.includes(status), `${status} for ${header}: ${name}`);
          raw.terminate();
        }
      }
    });

    it('in single bytes is read like any other, and holds up nobody', async t => {
      const server = await startHostile(t, { form });
      const other = await connect(server);
      const bytes = Buffer.from(withLines('', `X: ${'x'.repeat(MUCH)}\r\n`));
      const raw = await openRaw(server);
      for (let at = 0; at < bytes.length; at += 1) {
        raw.write(bytes.subarray(at, at + 1));
        if (at % 1_000 === 0) assert.deepEqual(await other.settle(), []);
      }
      assert.equal((await raw.response()).status, 101);
      assert.match(await raw.nextText(), /CONNECTION_ESTABLISHED/);
    });
  });
}

describe('a hostile head, standalone', () => {
  it('without end is refused with 431', async t => {
    const server = await startHostile(t, { form: 'standalone' });
    const [start] = upgradeRequest().split('\r\n');
    for (const endless of ['x', 'x: ', 'x: y\r\n', `${'x: y\r\n'.repeat(90)}z: `]) {
      const raw = watchEnd(await openRaw(server));
      raw.write(`${start}\r\n${endless}`);
      raw.write(endless.repeat(100_000 / endless.length));
      assert.equal((await raw.response()).status, 431, JSON.stringify(endless.slice(-10)));
      await raw.ending;
    }
  });
});
