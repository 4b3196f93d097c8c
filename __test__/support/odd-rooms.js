'use strict';

/**
 * Names of rooms that mean something to Redis, to a hash tag, a pattern, a number or a text format,
 * and pairs that only a careless encoding takes for one.
 */
const ODD_ROOMS = [
  ...[0, 1, '01', '1.0', '-1', Number.MAX_SAFE_INTEGER, '9007199254740992'],
  ...['{', '}', '{}', '}{', '{}{}', '{a}', 'a}b', 'a{b', '{1}', '}:s', 'a}:h', 'room:{1}'],
  ...['%', '%%', '%7B', '%7D', '%s', '%25', '\\', '\\}', '"', '\\"', "'", '`', '$1', '$(a)'],
  ...['*', '?', '[a]', '[^a]', 'h?llo', 'hello', '1*', '@1', '1@1', '1:s', '1:h', '1:n', ':', '::'],
  ...[' ', '  ', ' 1', '1 ', '\u00a0', '\u2028', '\ufeff', 'orders', '{orders}', 'processes'],
  ...['ö', 'o\u0308', 'İ', 'i̇', '🎈', '👩‍👩‍👧', 'مرحبا', 'a'.repeat(128), 'é'.repeat(64)],
];

module.exports = { ODD_ROOMS };
