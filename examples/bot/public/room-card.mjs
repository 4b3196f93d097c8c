// One room on the page: what it shows, and its button.

import { People } from './people.mjs';

/** Only where it differs: what has not changed is not to be seen, or heard, as if it had. */
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export class RoomCard {
  #room;
  #parts;
  #people;
  #busy = false;
  #cause;
  #wasShut = false;
  #act;

  /**
   * @param template the card's
   * @param room the `Room` that it shows
   * @param act joins or leaves (`'join'`, `'leave'`), resolves when that is done, or rejects with
   *   what to tell the user
   */
  constructor(template, room, act) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.element.dataset.room = room.id;
    const part = name => this.element.querySelector(name);
    this.#parts = {
      heading: part('h3'),
      current: part('.current'),
      maximum: part('.maximum'),
      filled: part('.filled'),
      free: part('.free'),
      problem: part('.problem'),
      button: part('.go'),
    };
    this.#people = new People(part('.who'));
    this.#room = room;
    this.#act = act;
    this.#parts.button.addEventListener('click', () => this.#press());
    this.render();
  }

  get busy() {
    return this.#busy;
  }

  /** Shows the room as it is now. */
  render() {
    const room = this.#room;
    const { heading, current, maximum, filled, free, button } = this.#parts;
    write(heading, room.name);
    write(current, `${room.currentParticipants}`);
    write(maximum, `of ${room.maxParticipants}`);
    const share = room.currentParticipants / Math.max(1, room.maxParticipants);
    filled.style.width = `${100 * Math.min(1, share)}%`;
    write(free, room.isFull ? 'Full' : `${room.availableSlots} free`);
    this.element.classList.toggle('full', room.isFull);
    this.element.classList.toggle('inside', room.inside);
    // The bot may have said that it is full before the update has come that makes it so.
    if (this.#cause === 'full' && this.#wasShut && !this.#isShut) this.tell('');
    this.#wasShut = this.#isShut;
    this.#people.show(room.participants, room.name);

    write(button, room.inside ? 'Leave' : 'Join');
    button.setAttribute('aria-label', `${button.textContent} ${room.name}`);
    // Not the disabled attribute: that would take the focus away from whoever uses the keyboard.
    button.setAttribute('aria-disabled', this.#busy || this.#isShut);
    button.setAttribute('aria-busy', this.#busy);
  }

  /** Tells what went wrong with this room, and remembers the cause; nothing, where it is empty. */
  tell(problem, cause) {
    this.#cause = cause;
    this.#parts.problem.textContent = problem;
  }

  /** The bot answers: what was said of its silence is no longer so. */
  reached() {
    if (this.#cause === 'silence') this.tell('');
  }

  get #isShut() {
    return this.#room.isFull && !this.#room.inside;
  }

  async #press() {
    if (this.#busy) return;
    this.tell('');
    if (this.#isShut) {
      this.tell('Room is full. A place is free as soon as somebody leaves.', 'full');
      return;
    }
    this.#busy = true;
    this.render();
    try {
      await this.#act(this.#room.inside ? 'leave' : 'join');
    } catch (error) {
      this.tell(error.message, { 0: 'silence', 409: 'full' }[error.status]);
    }
    this.#busy = false;
    this.render();
  }
}
