// The connection's state in words.

const CLOSED = {
  'Session expired': 'Your session has expired',
  Unauthorized: 'Your session has expired',
  'Signed out': 'You have been signed out',
  Disconnected: 'You have been signed out',
  'Rate limit exceeded': 'This page asked for too much and was sent away',
};

/** What a user is told about the end of the connection for this reason. */
export const wordsForEnd = reason => CLOSED[reason] ?? `The connection was ended: ${reason}`;

export class Connection {
  #element;
  #wasLive = false;

  constructor(element) {
    this.#element = element;
  }

  /** Shows one of the client's states; `reason` says why it is closed. */
  show(state, reason) {
    if (state === 'live') this.#wasLive = true;
    if (state === 'closed') this.#wasLive = false;
    this.#element.dataset.state = state;
    const words = this.#wordsFor(state, reason);
    // Said again, a screen reader would say it again too.
    if (this.#element.textContent !== words) this.#element.textContent = words;
  }

  #wordsFor(state, reason) {
    switch (state) {
      case 'connecting':
        return this.#wasLive ? 'Connection lost, trying again…' : 'Connecting…';
      case 'live':
        return 'Live';
      case 'polling':
        return 'No live connection: asking every 5 seconds';
      case 'offline':
        return navigator.onLine ? 'The server cannot be reached, trying again…' : 'You are offline';
      default:
        return reason;
    }
  }
}
