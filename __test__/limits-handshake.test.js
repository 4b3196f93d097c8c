'use strict';

// How long a connection may take to become a client, and how much it may say on the way: the time for
// the request's head and its size where the hub listens by itself, and the time for the bot's word.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startHostile } = require('./support/aftermath');
const { connect } = require('./support/client');
const { openRaw, textFrame, upgradeRequest } = require('./support/raw');
const { sampleOf } = require('./support/sample');
const { FORMS } = require('./support/server');
const { until } = require('./support/wait');

/** Sends a request in one piece, and gives the status and, but for a 101, the end. */
async function statusOf(server, request) {
  const raw = await openRaw(server);
  raw.write(request);
  const { status } = await raw.response();
  if (status !== 101) await raw.closed;
  return status;
}

/** So many headers, as short as they can be, each with another name. */
function manyHeaders(count) {
  const entries = Array.from({ length: count }, (_, at) => [`${at.toString(36)}-`, '']);
  return Object.fromEntries(entries);
}

const refusalsOf = ({ hub }, reason) => sampleOf(hub, `refusals_total{reason="${reason}"}`);

describe('handshakeTimeout, standalone', () => {
  const start = t => startHostile(t, { form: 'standalone', handshakeTimeout: 300 });
  const endless = Buffer.from(upgradeRequest({ headers: { 'X-Pad': 'x'.repeat(10_000) } }));

  for (const [name, sent] of [
    ['nothing', 0],
    ['half a request', 100],
    ['all but the last byte', endless.length - 1],
  ]) {
    it(`refuses a peer that sends ${name} with 408`, async t => {
      const server = await start(t);
      const raw = await openRaw(server);
      raw.write(endless.subarray(0, sent));
      assert.equal((await raw.response()).status, 408);
      await raw.closed;
      assert.equal(refusalsOf(server, 'timeout'), 1);
      assert.equal(sampleOf(server.hub, 'connections_total'), 0);
    });
  }

  it('is not put off by one byte at a time', async t => {
    const server = await start(t);
    const raws = await Promise.all(Array.from({ length: 20 }, () => openRaw(server)));
    let sent = 0;
    const dribble = setInterval(() => {
      for (const raw of raws) raw.write(endless.subarray(sent, sent + 1));
      sent += 1;
    }, 10);
    t.after(() => clearInterval(dribble));
    const responses = await Promise.all(raws.map(raw => raw.response()));
    assert.ok(responses.every(({ status }) => status === 408));
    await Promise.all(raws.map(raw => raw.closed));
    assert.equal(refusalsOf(server, 'timeout'), raws.length);
    assert.equal(sampleOf(server.hub, 'connections_total'), 0);
  });
});

describe('the size of a request, standalone', () => {
  const MOST_BYTES = 16 * 1024;
  const MOST_HEADERS = 100;
  const bare = upgradeRequest({ headers: { Pad: '' } }).length;
  const ofBytes = bytes => upgradeRequest({ headers: { Pad: 'x'.repeat(bytes - bare) } });
  const own = upgradeRequest().split('\r\n').length - 3;
  const ofHeaders = count => upgradeRequest({ headers: manyHeaders(count - own) });

  it('may be 16 KiB, and one byte more is 431', async t => {
    const server = await startHostile(t, { form: 'standalone' });
    assert.equal(await statusOf(server, ofBytes(MOST_BYTES)), 101);
    assert.equal(refusalsOf(server, 'header'), 0);
    assert.equal(await statusOf(server, ofBytes(MOST_BYTES + 1)), 431);
    assert.equal(refusalsOf(server, 'header'), 1);
    assert.equal(sampleOf(server.hub, 'connections_total'), 1);
  });

  it('is refused with 431 as soon as it is too long, though its end never comes', async t => {
    const server = await startHostile(t, { form: 'standalone', handshakeTimeout: 600_000 });
    assert.equal(await statusOf(server, ofBytes(1024 * 1024).slice(0, -2)), 431);
    assert.equal(await statusOf(server, ofHeaders(MOST_HEADERS + 1).slice(0, -2)), 431);
    assert.equal(refusalsOf(server, 'header'), 2);
  });

  it('may have 100 headers, and one more is 431', async t => {
    const server = await startHostile(t, { form: 'standalone' });
    assert.equal(await statusOf(server, ofHeaders(MOST_HEADERS)), 101);
    const over = [MOST_HEADERS + 1, 2_001, 20_000];
    for (const [at, count] of over.entries()) {
      assert.equal(await statusOf(server, ofHeaders(count)), 431, `${count} headers`);
      assert.equal(refusalsOf(server, 'header'), at + 1);
    }
    assert.equal(sampleOf(server.hub, 'connections_total'), 1);
  });
});

for (const form of ['http', 'https']) {
  describe(`the size of a request, ${form}`, () => {
    it("is Node's to limit: 431 for more than 16 KiB", async t => {
      const server = await startHostile(t, { form });
      const request = upgradeRequest({ headers: { Pad: 'x'.repeat(32 * 1024) } });
      assert.equal(await statusOf(server, request), 431);
      assert.equal(sampleOf(server.hub, 'connections_total'), 0);
    });

    it('may hide headers of the handshake behind 2 000 others, which makes it none', async t => {
      // Node drops what comes behind the first 2 000.
      const server = await startHostile(t, { form });
      const others = manyHeaders(2_001);
      for (const hidden of ['Upgrade', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Host']) {
        const whole = upgradeRequest();
        const line = whole.split('\r\n').find(found => found.startsWith(`${hidden}: `));
        const headers = { [hidden]: null, ...others };
        const request = upgradeRequest({ headers }).replace(/\r\n\r\n$/, `\r\n${line}\r\n\r\n`);
        const raw = await openRaw(server);
        raw.write(request);
        assert.notEqual((await raw.response()).status, 101, hidden);
        raw.terminate();
      }
      assert.equal(sampleOf(server.hub, 'connections_total'), 0);
    });
  });
}

for (const form of FORMS) {
  describe(`authTimeout, ${form}`, () => {
    it('lets clients go whom nobody identifies, with 1013', async t => {
      let open = false;
      const authenticate = () => (open ? 'user' : new Promise(() => {}));
      const server = await startHostile(t, { form, authTimeout: 200, authenticate });
      const raws = await Promise.all(Array.from({ length: 20 }, () => openRaw(server)));
      // What they say meanwhile stays where it is.
      const hasty = Buffer.concat([Buffer.from(upgradeRequest()), textFrame({ action: 'PING' })]);
      for (const raw of raws) raw.write(hasty);
      for (const raw of raws) {
        assert.deepEqual(await raw.nextClose(), { code: 1013, reason: 'Try again later' });
        raw.terminate();
      }
      await until(() => sampleOf(server.hub, 'connections') === 0, 'the end of them all');
      assert.equal(sampleOf(server.hub, 'hook_failures_total{hook="authenticate"}'), raws.length);
      assert.equal(sampleOf(server.hub, 'disconnections_total{code="1013"}'), raws.length);
      assert.equal(sampleOf(server.hub, 'messages_received_total{action="PING"}'), 0);
      open = true;
    });

    it('is for joins, too: the client stays, and is no member', async t => {
      const authorizeJoin = () => new Promise(() => {});
      const server = await startHostile(t, { form, authTimeout: 200, authorizeJoin });
      const client = await connect(server);
      for (const roomId of [1, 2, 3]) client.send({ action: 'JOIN_ROOM', roomId });
      for (const roomId of [1, 2, 3]) {
        const { error, roomId: of } = await client.nextMessage();
        assert.deepEqual([error, of], ['Unable to verify room membership', roomId]);
      }
      assert.equal(sampleOf(server.hub, 'hook_failures_total{hook="authorizeJoin"}'), 3);
      assert.equal(sampleOf(server.hub, 'memberships'), 0);
      assert.deepEqual(await client.settle(), []);
    });
  });
}
