// The same types for `import`: what index.mjs exports is what index.js has.
export * from './index.js';
