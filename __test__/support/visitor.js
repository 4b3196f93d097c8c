'use strict';

const { until } = require('./wait');

/** Somebody who has the bot's page open, and uses it as people do: by what it shows and its buttons. */
class Visitor {
  constructor(page) {
    this.page = page;
  }

  /** Gives a name where the page asks for one. */
  async signIn(name) {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByRole('button', { name: 'Come in' }).click();
  }

  /** Resolves once the page says that its connection is in this state, with its words for it. */
  async state(state) {
    await this.page.locator(`#connection[data-state="${state}"]`).waitFor();
    return this.page.locator('#connection').textContent();
  }

  room(id) {
    return this.page.locator(`li.room[data-room="${id}"]`);
  }

  /** How many people the page says are in a room. */
  async count(id) {
    return Number(await this.room(id).locator('.current').textContent());
  }

  /** Resolves once the page shows this many people in a room. */
  async shows(id, count) {
    await until(
      async () => (await this.count(id)) === count,
      () => `${count} in room ${id}`,
    );
  }

  async join(id) {
    await this.room(id).getByRole('button', { name: /^Join/ }).click();
    await this.room(id)
      .getByRole('button', { name: /^Leave/ })
      .waitFor();
  }

  async leave(id) {
    await this.room(id)
      .getByRole('button', { name: /^Leave/ })
      .click();
    await this.room(id).getByRole('button', { name: /^Join/ }).waitFor();
  }

  /** Who came and went, as the page tells it, the newest first. */
  news() {
    return this.page.locator('#news li').allTextContents();
  }
}

/**
 * Opens the bot's page, signs in, and waits until the page is live.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} address of the bot, or of the road to it
 * @param {string} name
 */
async function visit(page, address, name) {
  await page.goto(address);
  const visitor = new Visitor(page);
  await visitor.signIn(name);
  await visitor.state('live');
  return visitor;
}

module.exports = { Visitor, visit };
