'use strict';

// The `cluster` option: what is right passes, what is wrong is named with what would be right, and no
// error shows a password. Nothing connects here.

const assert = require('node:assert/strict');
const { describe, it } = require('node:test');
const { inspect } = require('node:util');
const { setupArguments } = require('../lib/options.js');

const URL_OF_REDIS = 'redis://127.0.0.1:6379';
const PASSWORD = 'hunter2';

const check = cluster => setupArguments({ noServer: true, cluster });

function refuses(cluster, pattern) {
  assert.throws(
    () => check(cluster),
    error => error instanceof TypeError && pattern.test(error.message),
    inspect(cluster),
  );
}

describe('options.cluster', () => {
  it('is left out, or an object with a url', () => {
    check(undefined);
    check({ url: URL_OF_REDIS });
    check({ url: URL_OF_REDIS, prefix: undefined });
    check(Object.assign(Object.create(null), { url: URL_OF_REDIS, prefix: 'bot' }));
  });

  it('is nothing else', () => {
    for (const value of [null, true, 6379, [URL_OF_REDIS], () => {}]) {
      refuses(value, /^options\.cluster must be an object such as \{ url: 'redis:.*\}, got /);
    }
    refuses(URL_OF_REDIS, /^options\.cluster must be an object, got a string: pass \{ url: /);
  });

  it('has no other keys, and says which was meant', () => {
    refuses({ ulr: URL_OF_REDIS }, /^options\.cluster\.ulr is unknown: did you mean url\?$/);
    refuses({ url: URL_OF_REDIS, prefx: 'bot' }, /\.prefx is unknown: did you mean prefix\?$/);
    refuses({ url: URL_OF_REDIS, sentinels: [] }, /^options\.cluster\.sentinels is unknown$/);
  });

  it('has a prefix of 1 to 64 characters that mean nothing to Redis', () => {
    for (const prefix of ['a', 'bot:rooms', 'Bot_2.test-1', 'x'.repeat(64)]) {
      check({ url: URL_OF_REDIS, prefix });
    }
    for (const prefix of ['', 'x'.repeat(65), 'a b', 'a\n', 'räume', '{a}', 'a*', 'a/b', 1, null]) {
      refuses(
        { url: URL_OF_REDIS, prefix },
        /^options\.cluster\.prefix must be a string of 1 to 64 letters, .*, got /,
      );
    }
  });
});

describe('options.cluster.url', () => {
  for (const url of [
    'redis://localhost',
    'redis://redis.example:6380',
    'redis://127.0.0.1:6379/0',
    'redis://127.0.0.1:6379/15',
    'redis://[::1]:6379',
    `redis://:${PASSWORD}@127.0.0.1`,
    `redis://bot:${PASSWORD}@127.0.0.1:6379/2`,
    'redis://bot:p%40ss%3Aword@127.0.0.1',
    'rediss://redis.example',
    'valkey://127.0.0.1:6379/2',
    'valkeys://valkey.example',
    `rediss://bot:${PASSWORD}@redis.example:6380`,
    'redis://first:7000,second:7000,third:7000',
    `redis://bot:${PASSWORD}@first:7000,second:7000`,
  ]) {
    it(`may be ${url}`, () => {
      check({ url });
    });
  }

  it('is a string', () => {
    for (const url of [undefined, null, 6379, ['redis://first'], {}]) {
      refuses({ url }, /^options\.cluster\.url must be a string such as 'redis:.*', got /);
    }
    refuses({ url: new URL(URL_OF_REDIS) }, /, got an instance of URL: pass its href$/);
  });

  for (const url of [
    '',
    'localhost',
    '127.0.0.1:6379',
    'http://127.0.0.1:6379',
    'redis:127.0.0.1',
    'redis://',
    'redis://:6379',
    'redis://127.0.0.1:0',
    'redis://127.0.0.1:65536',
    'redis://127.0.0.1:port',
    'redis://127.0.0.1/rooms',
    'redis://127.0.0.1/-1',
    'redis://first:7000,',
    'redis://first:7000,,second:7000',
    'redis+sentinel://127.0.0.1:26379',
    'unix:///run/redis.sock',
  ]) {
    it(`may not be '${url}'`, () => {
      // A phrase, so that whoever reads the log knows what to change.
      refuses({ url }, /^options\.cluster\.url \S+ \S.+$/);
    });
  }
});

it('no error shows the password', () => {
  const places = [`:${PASSWORD}@`, `bot:${PASSWORD}@`, `${PASSWORD}@`, `bot:%zz${PASSWORD}@`];
  for (const login of places) {
    for (const cluster of [
      `redis://${login}127.0.0.1`,
      [`redis://${login}127.0.0.1`],
      { url: [`redis://${login}127.0.0.1`] },
      { url: `http://${login}127.0.0.1` },
      { url: `${login}127.0.0.1:6379` },
      { url: `redis://${login}` },
      { url: `redis://${login}:6379` },
      { url: `redis://${login}127.0.0.1:port` },
      { url: `redis://${login}127.0.0.1:6379/rooms` },
      { url: `redis://${login}first:7000,${login}second:port` },
      { url: `redis://${login}first:7000,` },
      { url: `redis://bot:${PASSWORD}#1@127.0.0.1:port` },
      { url: `redis://bot:${PASSWORD}/@127.0.0.1` },
      { url: `redis:/${login}127.0.0.1` },
      { url: new URL(`redis://bot:${PASSWORD}@127.0.0.1`) },
      { url: `redis://${login}127.0.0.1`, prefix: '' },
      { url: `redis://${login}127.0.0.1`, ulr: `redis://${login}127.0.0.1` },
    ]) {
      let shown;
      assert.throws(
        () => check(cluster),
        error => {
          shown = inspect(error, { showHidden: true, depth: 9 });
          return error instanceof TypeError && error.message.startsWith('options.cluster');
        },
        inspect(cluster),
      );
      // The stack has this file's name in it, and nothing of its text.
      assert.equal(shown.includes(PASSWORD), false, shown);
    }
  }
});
