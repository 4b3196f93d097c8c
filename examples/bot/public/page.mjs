import { LiveRooms } from './live-rooms.mjs';
import { RoomCard } from './room-card.mjs';

const NAMES = ['Ada', 'Alan', 'Barbara', 'Edsger', 'Frances', 'Grace', 'Niklaus', 'Radia', 'Vint'];
const NEWS_SHOWN = 30;
const POLL_EVERY_MS = 5_000;

const $ = selector => document.querySelector(selector);

// Every page is a person of its own, so that two windows of one browser can meet in a room.
const userId = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
const cards = new Map();
const live = new LiveRooms(userId);
let connection = 'connecting';

async function api(path, init) {
  const response = await fetch(`/api/rooms${path}`, init).catch(() => {
    throw new Error('The bot does not answer.');
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.error}.`);
  return answer;
}

async function ask(roomId, action) {
  const room = await api(`/${roomId}/${action}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user: { id: userId, firstName: $('#name').value.trim() } }),
    // The last request of a page outlives it.
    keepalive: true,
  });
  showIfNewest(room);
}

// What arrives over a live connection is as new as anything the API answers, or newer.
function showIfNewest(room) {
  if (connection !== 'live') cards.get(room.id)?.show(room);
}

async function poll() {
  if (connection === 'live') return;
  const rooms = await api('').catch(() => []);
  rooms.forEach(showIfNewest);
}

function tellNews({ event, roomId, participantName, timestamp }) {
  const verb = { USER_JOINED: 'joined', USER_LEFT: 'left' }[event];
  if (!verb) return;
  const who = document.createElement('strong');
  who.textContent = participantName;
  const when = document.createElement('time');
  when.dateTime = timestamp;
  when.textContent = new Date(timestamp).toLocaleTimeString([], { timeStyle: 'short' });
  const what = document.createElement('span');
  what.append(who, ` ${verb} ${cards.get(roomId).name}`);
  const item = document.createElement('li');
  item.className = verb;
  item.append(what, when);
  $('#news').prepend(item);
  if ($('#news').children.length > NEWS_SHOWN) $('#news').lastElementChild.remove();
  $('#no-news').hidden = true;
}

function tellConnection(state, words) {
  connection = state;
  $('#connection').dataset.state = state;
  $('#connection').textContent = words;
}

live.addEventListener('state', ({ detail: state }) => {
  const words = {
    connecting: 'Connecting…',
    live: 'Live',
    waiting: navigator.onLine ? 'Connection lost, trying again…' : 'You are offline',
    refused: 'Not live: the server refused this page',
  };
  tellConnection(state, words[state]);
  if (state === 'live') for (const card of cards.values()) card.renew();
});

live.addEventListener('update', ({ detail: update }) => {
  if ('currentParticipants' in update) cards.get(update.roomId).show(update);
  tellNews(update);
});

$('#name').value =
  sessionStorage.getItem('name') ?? NAMES[Math.floor(Math.random() * NAMES.length)];
$('#name').addEventListener('change', () => sessionStorage.setItem('name', $('#name').value));
$('#profile').addEventListener('submit', event => event.preventDefault());

window.addEventListener('pagehide', () => {
  for (const card of cards.values()) card.abandon();
});

async function start() {
  let rooms;
  try {
    rooms = await api('');
  } catch (error) {
    tellConnection('waiting', `${error.message} Trying again…`);
    setTimeout(start, POLL_EVERY_MS);
    return;
  }
  for (const room of rooms) {
    const enter = () => ask(room.id, 'join');
    const exit = () => ask(room.id, 'leave');
    const card = new RoomCard($('#room'), room, { enter, exit });
    cards.set(room.id, card);
    $('#rooms').append(card.element);
    live.follow(room.id);
  }
  live.connect();
  setInterval(poll, POLL_EVERY_MS);
}

start();
