// One room on the page: what it shows, and its button.

const PARTS = ['h3', '.current', '.maximum', '.bar', '.filled', '.free', '.problem', 'button'];

export class RoomCard {
  #parts;
  #room;
  #inside = false;
  #busy = false;
  #enter;
  #exit;

  /** `enter` and `exit` ask the bot and resolve with the room as it is then. */
  constructor(template, room, { enter, exit }) {
    this.element = template.content.firstElementChild.cloneNode(true);
    this.#parts = Object.fromEntries(
      PARTS.map(part => [part.replace('.', ''), this.element.querySelector(part)]),
    );
    this.#enter = enter;
    this.#exit = exit;
    this.name = room.name;
    this.#parts.h3.textContent = room.name;
    this.#parts.button.addEventListener('click', () => this.#toggle());
    this.show(room);
  }

  /** Takes a room of the API or a ROOM_UPDATE: both carry the counts under the same names. */
  show(room) {
    this.#room = room;
    this.#render();
  }

  /** Makes sure of the place: a bot that was restarted may have forgotten who was in. */
  async renew() {
    if (!this.#inside) return;
    this.#inside = await this.#enter().then(
      () => true,
      () => false,
    );
    this.#render();
  }

  /** Leaves without waiting for the answer: the page is being put away. */
  abandon() {
    if (!this.#inside) return;
    this.#inside = false;
    this.#render();
    this.#exit().catch(() => {});
  }

  async #toggle() {
    if (this.#isDisabled()) return;
    this.#busy = true;
    this.#parts.problem.textContent = '';
    this.#render();
    try {
      await (this.#inside ? this.#exit() : this.#enter());
      this.#inside = !this.#inside;
    } catch (error) {
      this.#parts.problem.textContent = error.message;
    }
    this.#busy = false;
    this.#render();
  }

  #isDisabled() {
    return this.#busy || (this.#room.isFull && !this.#inside);
  }

  #render() {
    const { currentParticipants, maxParticipants, isFull, availableSlots } = this.#room;
    const { current, maximum, bar, filled, free, button } = this.#parts;
    current.textContent = currentParticipants;
    maximum.textContent = `of ${maxParticipants}`;
    bar.classList.toggle('full', isFull);
    const share = currentParticipants / Math.max(1, maxParticipants);
    filled.style.width = `${100 * Math.min(1, share)}%`;
    free.textContent = isFull ? 'Full' : `${availableSlots} free`;
    button.textContent = this.#inside ? 'Leave' : 'Join';
    button.setAttribute('aria-label', `${button.textContent} ${this.name}`);
    // Not the disabled attribute: that would take the focus away from whoever uses the keyboard.
    button.setAttribute('aria-disabled', this.#isDisabled());
    this.element.classList.toggle('inside', this.#inside);
  }
}
