// Who is in a room, as chips: the first few of them, and all on demand.

const SHOWN = 6;
const TINTS = 6;

/** The same colour for the same name on every page. */
function tintOf(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return sum % TINTS;
}

/** Makes an element show a person's initial; what it holds stays as it is. */
export function mark(element, name) {
  // By way of the style sheet, which gives it no voice: the name itself follows.
  element.dataset.initial = [...name.trim()][0]?.toUpperCase() ?? '';
  element.dataset.tint = tintOf(name);
}

export class People {
  #list;
  #more;
  #nobody;
  #room;
  #names = [];
  #open = false;

  /** @param element the card's `.who` */
  constructor(element) {
    this.#list = element.querySelector('.people');
    this.#more = element.querySelector('.more');
    this.#nobody = element.querySelector('.nobody');
    this.#more.addEventListener('click', () => {
      this.#open = !this.#open;
      this.#render();
    });
  }

  show(names, room) {
    if (names === this.#names && room === this.#room) return;
    this.#names = names;
    this.#room = room;
    this.#list.setAttribute('aria-label', `In ${room}`);
    this.#list.replaceChildren(
      ...names.map(name => {
        const chip = document.createElement('li');
        const text = document.createElement('span');
        text.textContent = name;
        chip.title = name;
        mark(chip, name);
        chip.append(text);
        return chip;
      }),
    );
    this.#render();
  }

  #render() {
    const chips = this.#list.children;
    // "+1" would take the place of the one whom it hides.
    const foldable = chips.length > SHOWN + 1;
    const shown = foldable && !this.#open ? SHOWN : chips.length;
    for (const [index, chip] of [...chips].entries()) chip.hidden = index >= shown;
    this.#list.hidden = chips.length === 0;
    this.#nobody.hidden = chips.length > 0;
    this.#more.hidden = !foldable;
    this.#more.textContent = this.#open ? 'Fewer' : `+${chips.length - SHOWN}`;
    this.#more.setAttribute('aria-expanded', this.#open);
    this.#more.setAttribute(
      'aria-label',
      this.#open
        ? `Fewer names in ${this.#room}`
        : `+${chips.length - SHOWN} more in ${this.#room}`,
    );
  }
}
