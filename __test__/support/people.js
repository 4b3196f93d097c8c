'use strict';

/** Somebody who asks the bot over HTTP alone, signed in: many of them cost no browser. */
class Person {
  #address;
  #cookie;

  constructor(address, cookie) {
    this.#address = address;
    this.#cookie = cookie;
  }

  get cookie() {
    return this.#cookie;
  }

  /** As `connect` takes it, for a WebSocket of this person. */
  get asClient() {
    return { userId: null, headers: { Cookie: this.#cookie } };
  }

  get(route, headers = {}) {
    return fetch(new URL(route, this.#address), { headers: { Cookie: this.#cookie, ...headers } });
  }

  post(route) {
    return fetch(new URL(route, this.#address), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Cookie: this.#cookie },
      body: '{}',
    });
  }

  async join(roomId) {
    return (await this.post(`/api/rooms/${roomId}/join`)).status;
  }

  async leave(roomId) {
    return (await this.post(`/api/rooms/${roomId}/leave`)).status;
  }
}

/** Signs somebody in at the bot of this address. */
async function signIn(address, name) {
  const response = await fetch(new URL('/api/session', address), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  const [cookie] = response.headers.getSetCookie();
  return new Person(address, cookie.split(';')[0]);
}

module.exports = { signIn };
