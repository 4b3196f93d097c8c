'use strict';

// Certificates by openssl, good for two days: an authority, and a server's of 127.0.0.1 that it has
// signed. (The one of `fixtures` is its own authority, which strict clients do not take of a server.)

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const CONFIG = `
[req]
distinguished_name = name
prompt = no
[name]
CN = roomcast test
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1, DNS:localhost
`;

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/**
 * @param {string} directory where they are put
 * @returns {{ authority: string, cert: string, key: string }} files in PEM
 */
function makeCertificates(directory) {
  const file = name => path.join(directory, name);
  const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const config = file('openssl.cnf');
  fs.writeFileSync(config, CONFIG);
  const [authority, authorityKey] = [file('authority.pem'), file('authority.key')];
  const [cert, key, request] = [file('server.pem'), file('server.key'), file('server.csr')];
  const fresh = ['req', '-config', config, ...NEW_KEY];
  const days = ['-days', '2'];
  openssl(
    ...[...fresh, '-x509', ...days, '-extensions', 'authority'],
    ...['-keyout', authorityKey, '-out', authority],
  );
  openssl(...fresh, '-keyout', key, '-out', request);
  openssl(
    ...['x509', '-req', '-in', request, '-CA', authority, '-CAkey', authorityKey, ...days],
    ...['-CAcreateserial', '-extfile', config, '-extensions', 'server', '-out', cert],
  );
  return { authority, cert, key };
}

module.exports = { makeCertificates };
