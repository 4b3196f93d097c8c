'use strict';

const fs = require('node:fs');

const STATUS = '/proc/self/status';

const hasStatus = fs.existsSync(STATUS);

/**
 * Bytes that this process has set aside, whether it has touched them or not: what is asked of an
 * allocator shows here, even where it is never written to. Linux only.
 */
function setAside() {
  const [, kilobytes] = /^VmData:\s+(\d+) kB$/m.exec(fs.readFileSync(STATUS, 'utf8'));
  return Number(kilobytes) * 1024;
}

/** For `it`: why a test that measures memory is left out, or false. */
const noMemory = hasStatus ? false : 'this system does not tell what a process has set aside';

module.exports = { noMemory, setAside };
