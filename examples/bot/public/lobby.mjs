// The rooms of whoever is signed in: kept by live updates, set right by the HTTP API.

import { ask, post } from './api.mjs';
import { wordsForEnd } from './connection.mjs';
import { Renewal } from './renewal.mjs';
import { Room } from './room.mjs';
import { RoomCard } from './room-card.mjs';
import { RoomClient } from './roomcast/room-client.js';

const EXPIRED = 'Your session has expired';

/**
 * Dispatches `state` (detail: that of the client), `news` (detail: `{ update, room }`), `gone` (detail:
 * the room that is no longer the user's to see) and, once and at last, `end` (detail: why, in words).
 */
export class Lobby extends EventTarget {
  #user;
  #list;
  #template;
  #rooms = new Map();
  #cards = new Map();
  #client;
  #renewal = new Renewal({
    one: id => this.#renewOne(id),
    all: () => this.#renewAll(),
  });
  #ended = false;
  #onVisible = () => {
    if (document.visibilityState === 'visible') this.#renewal.want();
  };

  /** `list` is where the rooms are shown, `template` that of a card. */
  constructor(user, { list, template }) {
    super();
    this.#user = user;
    this.#list = list;
    this.#template = template;
  }

  /** Whether it is over: nothing is shown or followed any more. */
  get ended() {
    return this.#ended;
  }

  /** How many rooms there are. */
  get size() {
    return this.#rooms.size;
  }

  /** Shows the rooms and follows them. Rejects where the bot does not tell which. */
  async open() {
    const answers = await ask('rooms');
    if (this.#ended) return;
    this.#client = new RoomClient({
      url: '/ws/rooms',
      poll: { url: '/api/rooms', interval: 5000 },
    });
    let reason = EXPIRED;
    this.#client.addEventListener('error', ({ detail }) => {
      if (detail.code === 1008) reason = wordsForEnd(detail.error);
      else if (detail.code === 401) this.#end(EXPIRED);
      else this.#refused(detail);
    });
    this.#client.addEventListener('state', ({ detail: state }) => {
      if (state === 'closed') return this.#end(reason);
      if (state === 'live') for (const card of this.#cards.values()) card.reached();
      this.#tell('state', state);
    });
    this.#client.addEventListener('update', ({ detail }) => this.#updated(detail));
    document.addEventListener('visibilitychange', this.#onVisible);
    this.#sync(answers, new Map());
    this.#tell('state', this.#client.state);
  }

  /** Ends without a word. */
  close() {
    this.#ended = true;
    this.#renewal.stop();
    this.#client?.close();
    document.removeEventListener('visibilitychange', this.#onVisible);
    this.#list.replaceChildren();
  }

  #end(reason) {
    if (this.#ended) return;
    this.close();
    this.#tell('end', reason);
  }

  #updated(update) {
    const room = this.#rooms.get(update.roomId);
    if (!room) return;
    room.apply(update);
    this.#show(room);
    this.#tell('news', { update, room });

    // The user's own coming and going that this page has not asked for: another window has.
    const { event, participantName } = update;
    const own = participantName === this.#user.name && !this.#cards.get(room.id).busy;
    const unknown = room.inside ? event === 'USER_LEFT' : event === 'USER_JOINED';
    if (room.uncertain || (own && unknown)) this.#renewal.want(room.id);
  }

  /** An ERROR of the hub. */
  #refused({ error, roomId }) {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    if (error === 'Access denied to this room' || error === 'Removed from room') {
      this.#remove(room);
    } else if (error === 'Too many rooms') {
      this.#cards.get(roomId).tell('Not live: you follow too many rooms.');
    }
  }

  async #act(room, action) {
    const { epoch } = room;
    try {
      const answer = await post(`rooms/${room.id}/${action}`);
      room.take(answer, epoch);
      room.inside = answer.inside;
    } catch (error) {
      this.#failed(error, room);
      throw error;
    }
    if (room.uncertain) this.#renewal.want(room.id);
  }

  async #renewOne(id) {
    const room = this.#rooms.get(id);
    if (!room) return true;
    const { epoch } = room;
    try {
      room.take(await ask(`rooms/${id}`), epoch);
    } catch (error) {
      this.#failed(error, room);
      return false;
    }
    this.#show(room);
    return !room.uncertain;
  }

  async #renewAll() {
    const epochs = new Map([...this.#rooms.values()].map(({ id, epoch }) => [id, epoch]));
    try {
      this.#sync(await ask('rooms'), epochs);
    } catch (error) {
      this.#failed(error);
      return false;
    }
    return [...this.#rooms.values()].every(room => !room.uncertain);
  }

  #failed({ status }, room) {
    if (status === 401) this.#end(EXPIRED);
    else if (room && (status === 403 || status === 404)) this.#remove(room);
    else if (room && status === 409) this.#renewal.want(room.id);
  }

  /** Makes the rooms those of the answer: there may be others than before. */
  #sync(answers, epochs) {
    if (this.#ended) return;
    const ids = new Set(answers.map(({ id }) => id));
    for (const room of this.#rooms.values()) if (!ids.has(room.id)) this.#remove(room);
    for (const answer of answers) {
      const room = this.#rooms.get(answer.id);
      if (room) room.take(answer, epochs.get(room.id));
      else this.#add(new Room(answer));
      this.#show(this.#rooms.get(answer.id));
    }
  }

  #add(room) {
    const card = new RoomCard(this.#template, room, action => this.#act(room, action));
    this.#rooms.set(room.id, room);
    this.#cards.set(room.id, card);
    this.#list.append(card.element);
    this.#client.join(room.id);
    if (room.uncertain) this.#renewal.want(room.id);
  }

  #remove(room) {
    this.#rooms.delete(room.id);
    this.#client.leave(room.id);
    this.#cards.get(room.id)?.element.remove();
    this.#cards.delete(room.id);
    this.#tell('gone', room);
  }

  #show(room) {
    this.#cards.get(room.id)?.render();
  }

  #tell(type, detail) {
    if (type === 'end' || !this.#ended) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
