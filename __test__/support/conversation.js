'use strict';

// What is said between a page and the room server of the predecessor's bot.

const { failsafe } = require('./wait');

/** Messages and requests, and how many messages each is answered with. */
const SCRIPT = [
  { send: '{"action":"PING"}', answers: 1 },
  { send: '{"action":"DANCE"}', answers: 1 },
  { send: '{}', answers: 1 },
  { send: '{"action"', answers: 1 },
  { send: 'null', answers: 1 },
  { send: '{"action":"JOIN_ROOM"}', answers: 1 },
  { send: '{"action":"LEAVE_ROOM","roomId":null}', answers: 1 },
  { send: '{"action":"GET_ROOM_STATUS"}', answers: 1 },
  { send: '{"action":"JOIN_ROOM","roomId":{}}', answers: 1 },
  { send: '{"action":"JOIN_ROOM","roomId":2}', answers: 1 },
  { send: '{"action":"JOIN_ROOM","roomId":3}', answers: 1 },
  { send: '{"action":"LEAVE_ROOM","roomId":4}', answers: 1 },
  { send: '{"action":"JOIN_ROOM","roomId":"4","userId":"somebody else"}', answers: 1 },
  { send: '{"action":"GET_ROOM_STATUS","roomId":4}', answers: 1 },
  { post: '/api/rooms/4/join', answers: 2 },
  { post: '/api/rooms/4/leave', answers: 1 },
  { post: '/api/rooms/4/announce', body: { current: 3, max: 2 }, answers: 1 },
  { send: '{"action":"LEAVE_ROOM","roomId":4,"userId":"somebody else"}', answers: 1 },
  { post: '/api/rooms/4/join', answers: 0 },
  { post: '/api/rooms/4/leave', answers: 0 },
  { send: '{"action":"GET_ROOM_STATUS","roomId":4}', answers: 1 },
];

/** Goes through a script in the page: the texts of all messages that came. */
function goThrough(page, script) {
  const talk = page.evaluate(async steps => {
    const texts = [];
    let heard = () => {};
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws/rooms?userId=x`);
    socket.onmessage = event => {
      texts.push(event.data);
      heard();
    };
    const untilThereAre = count =>
      new Promise(resolve => {
        heard = () => texts.length >= count && resolve();
        heard();
      });
    await untilThereAre(1);
    let expected = 1;
    for (const { send, post, body = {}, answers } of steps) {
      if (send) socket.send(send);
      else {
        await fetch(post, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify(body),
        });
      }
      expected += answers;
      await untilThereAre(expected);
    }
    socket.close();
    return texts;
  }, script);
  return failsafe(talk, () => 'the end of the conversation');
}

/** The script's messages as a page is sent them, parsed. */
async function converse(page) {
  return (await goThrough(page, SCRIPT)).map(text => JSON.parse(text));
}

/** What joining a room of each of these ids is answered with. */
async function answersToJoins(page, roomIds) {
  const steps = roomIds.map(roomId => {
    return { send: JSON.stringify({ action: 'JOIN_ROOM', roomId }), answers: 1 };
  });
  const [, ...answers] = await goThrough(page, steps);
  return answers.map(text => JSON.parse(text));
}

/** How a connection of the page ends, that sends a text once it is let in: `{ code, reason }`. */
function endOf(page, text) {
  const end = page.evaluate(
    sent =>
      new Promise(resolve => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws/rooms?userId=x`);
        socket.onmessage = () => socket.send(sent);
        socket.onclose = ({ code, reason }) => resolve({ code, reason });
      }),
    text,
  );
  return failsafe(end, () => 'the end of the connection');
}

module.exports = { answersToJoins, converse, endOf };
