'use strict';

/**
 * Puts a function in place of one of an object's and returns what puts the old one back. Where
 * somebody has wrapped ours in the meantime it stays in their chain, so it has to pass everything
 * through from then on.
 *
 * @param {object} target
 * @param {string} name
 * @param {(original: Function) => Function} wrap
 * @returns {() => void}
 */
function override(target, name, wrap) {
  const own = Object.getOwnPropertyDescriptor(target, name);
  const value = wrap(target[name]);
  Object.defineProperty(target, name, {
    value,
    writable: true,
    configurable: true,
    enumerable: own?.enumerable ?? false,
  });
  return () => {
    if (target[name] !== value) return;
    if (own === undefined) delete target[name];
    else Object.defineProperty(target, name, own);
  };
}

module.exports = { override };
