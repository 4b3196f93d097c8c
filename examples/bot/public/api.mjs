// The bot's HTTP API, as the page asks it.

/** An answer that is a no, or none at all: `status` is that of HTTP, 0 where the bot did not answer. */
export class Refusal extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

// An answer that is longer in coming than this will not be waited for by anybody.
const PATIENCE_MS = 15_000;

/** Resolves with the answer's JSON (undefined where it has none), or rejects with a `Refusal`. */
export async function ask(path, { method = 'GET', body } = {}) {
  let response;
  try {
    response = await fetch(`/api/${path}`, {
      method,
      // The browser's cache asks whether what it has is still right, which is what ETags are for.
      cache: 'no-cache',
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body && {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
  } catch {
    throw new Refusal('The server does not answer. Please try again.', 0);
  }
  const answer = await response.json().catch(() => undefined);
  if (response.ok) return answer;
  const reason = answer?.error ?? 'Something went wrong on the server';
  throw new Refusal(`${reason}.`, response.status);
}

export const post = (path, body = {}) => ask(path, { method: 'POST', body });
