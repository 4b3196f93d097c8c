// The hub's options in the soak. Times are shorter than the defaults, so that each runs out often;
// limits are the defaults.

export const HISTORY = 64;

export const SLOW_TIMEOUT_MS = 5_000;
export const CLOSE_TIMEOUT_MS = 2_000;
export const PING_INTERVAL_MS = 10_000;
export const PONG_TIMEOUT_MS = 10_000;

export const limits = {
  history: HISTORY,
  slowTimeout: SLOW_TIMEOUT_MS,
  closeTimeout: CLOSE_TIMEOUT_MS,
  pingInterval: PING_INTERVAL_MS,
  pongTimeout: PONG_TIMEOUT_MS,
  authTimeout: 5_000,
  roomTtl: 4_000,
};
