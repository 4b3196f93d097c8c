// Who came and went, the newest first.

import { mark } from './people.mjs';

const SHOWN = 30;
const VERBS = { USER_JOINED: 'joined', USER_LEFT: 'left' };

export class News {
  #list;
  #empty;

  constructor(list, empty) {
    this.#list = list;
    this.#empty = empty;
  }

  /** Tells of a ROOM_UPDATE, where that is about a person. */
  tell({ event, participantName, timestamp }, roomName) {
    const verb = VERBS[event];
    if (!verb) return;
    const who = document.createElement('strong');
    who.textContent = participantName;
    const what = document.createElement('span');
    what.append(who, ` ${verb} ${roomName} `);
    const when = document.createElement('time');
    when.dateTime = timestamp;
    when.textContent = new Date(timestamp).toLocaleTimeString([], { timeStyle: 'short' });
    const item = document.createElement('li');
    item.className = verb;
    mark(item, participantName);
    item.append(what, when);
    this.#list.prepend(item);
    if (this.#list.children.length > SHOWN) this.#list.lastElementChild.remove();
    this.#empty.hidden = true;
  }

  clear() {
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }
}
