'use strict';

// A Redis that speaks TLS: trusted where the system's store, or the file that SSL_CERT_FILE names, has
// its authority, and spoken to in no other case.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { startFleet, startMember, untilCounted } = require('./support/fleet');
const { broadcast, visitEach } = require('./support/fleet-clients');
const { needsTls, startRedis } = require('./support/redis');

const PASSWORD = 'a password: /%@?#';

describe('a Redis with TLS', needsTls, () => {
  it('carries updates and counts, with a password too', async t => {
    const redis = await startRedis(t, { tls: true, password: PASSWORD });
    const env = { SSL_CERT_FILE: redis.authority };
    const members = await startFleet(t, 2, redis, { env });
    const clients = await visitEach(members, 1);
    await broadcast(members[0], clients, 1, 'Anna', 1, 2, 'join');
    await broadcast(members[1], clients, 1, 'Ben', 2, 2, 'join');
    await untilCounted(members[0], 1, 2);
  });

  it('is not spoken to where its authority is unknown', async t => {
    const redis = await startRedis(t, { tls: true, password: PASSWORD });
    const member = await startMember(t, { cluster: { url: redis.url }, starts: 'away' });
    const [line] = member.log.filter(({ level }) => level === 'warn');
    assert.match(JSON.stringify(line), /certificate/i);
    assert.ok(line.message.includes(`127.0.0.1:${redis.port}`), line.message);
    const all = JSON.stringify([member.log, member.errors, member.output]);
    for (const text of [PASSWORD, encodeURIComponent(PASSWORD)])
      assert.ok(!all.includes(text), all);
  });
});
