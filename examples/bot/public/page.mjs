// The page: who is signed in, and what is shown for that.

import { ask, post } from './api.mjs';
import { Connection } from './connection.mjs';
import { Lobby } from './lobby.mjs';
import { News } from './news.mjs';
import { mark } from './people.mjs';

const RETRY_MS = 2_000;

const $ = id => document.getElementById(id);
const connection = new Connection($('connection'));
const news = new News($('news'), $('no-news'));
let lobby;
let signingOut = false;

/** Shows the form, with the reason where a session has ended. */
function showSignIn(words, reason = '') {
  lobby = undefined;
  news.clear();
  connection.show('closed', words);
  $('you').hidden = true;
  $('lobby').hidden = true;
  $('sign-in').hidden = false;
  $('reason').textContent = reason;
  $('name').focus();
}

async function enter({ user }) {
  lobby?.close();
  const next = new Lobby(user, { list: $('rooms'), template: $('room') });
  lobby = next;
  next.addEventListener('state', ({ detail }) => connection.show(detail));
  next.addEventListener('news', ({ detail }) => news.tell(detail.update, detail.room.name));
  next.addEventListener('gone', ({ detail }) => {
    $('notice').textContent = `${detail.name} is no longer open to you.`;
    if (document.activeElement === document.body) $('rooms-title').focus();
    $('no-rooms').hidden = next.size > 0;
  });
  next.addEventListener('end', ({ detail }) => {
    // Whoever signs out is sent away by the hub too: no news to them.
    if (signingOut) return;
    showSignIn(detail, `${detail}. Come in again to go on.`);
  });

  connection.show('connecting');
  try {
    await next.open();
  } catch (error) {
    next.close();
    throw error;
  }
  if (lobby !== next) return;
  $('your-name').textContent = user.name;
  mark($('person'), user.name);
  $('name').value = user.name;
  $('notice').textContent = '';
  $('no-rooms').hidden = next.size > 0;
  $('sign-in').hidden = true;
  $('you').hidden = false;
  $('lobby').hidden = false;
}

/** Comes in where the browser has a session already, and asks for a name where it has none. */
async function start() {
  try {
    await enter(await ask('session'));
  } catch (error) {
    if (error.status === 401) return showSignIn('Not signed in');
    connection.show('offline');
    setTimeout(start, RETRY_MS * (0.5 + Math.random()));
  }
}

$('sign-in').addEventListener('submit', async event => {
  event.preventDefault();
  const name = $('name').value.trim();
  const tell = problem => {
    $('name-problem').textContent = problem;
    $('name').setAttribute('aria-invalid', problem !== '');
    if (problem) $('name').focus();
  };
  if (!name) return tell('Please say who you are.');
  const button = $('sign-in').querySelector('button');
  if (button.getAttribute('aria-busy') === 'true') return;
  button.setAttribute('aria-busy', true);
  tell('');
  try {
    await enter(await post('session', { name }));
    $('rooms-title').focus();
  } catch (error) {
    connection.show('closed', 'Not signed in');
    tell(error.message);
  }
  button.setAttribute('aria-busy', false);
});

$('sign-out').addEventListener('click', async () => {
  if (signingOut) return;
  signingOut = true;
  const leaving = lobby;
  const problem = await ask('session', { method: 'DELETE' }).catch(error => error);
  signingOut = false;
  if (problem && problem.status !== 401 && !leaving.ended) {
    $('notice').textContent = problem.message;
    return;
  }
  leaving.close();
  showSignIn('Signed out');
});

// Another window may have signed in meanwhile.
document.addEventListener('visibilitychange', async () => {
  if (document.visibilityState !== 'visible' || $('sign-in').hidden) return;
  const session = await ask('session').catch(() => undefined);
  if (!session || $('sign-in').hidden) return;
  enter(session).catch(() => connection.show('closed', 'Not signed in'));
});

start();
