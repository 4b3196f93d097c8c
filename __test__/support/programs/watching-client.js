'use strict';

// A thread with two clients of its own: one that asks and reads all the time, and one that only
// listens, so that the hub has to ping it. What they see is counted in memory shared with the
// thread that started this one.

const { isMainThread, parentPort, workerData } = require('node:worker_threads');

/** The index of each counter. */
const COUNTERS = { update: 0, PONG: 1, protocolPong: 2, ping: 3, outOfOrder: 4, closed: 5 };

function watch({ url, counters }) {
  const WebSocket = require('ws');
  const add = name => Atomics.add(counters, COUNTERS[name], 1);
  const talker = new WebSocket(`${url}?userId=talker`);
  const listener = new WebSocket(`${url}?userId=listener`);
  let leaving = false;
  for (const client of [talker, listener]) {
    client.on('error', () => {});
    client.on('close', () => {
      if (!leaving) add('closed');
    });
  }

  listener.on('ping', () => add('ping'));
  const listening = new Promise(resolve => listener.once('open', resolve));

  talker.on('open', () => talker.send('{"action":"JOIN_ROOM","roomId":1}'));
  talker.on('pong', () => add('protocolPong'));
  let lastSeq;
  const joined = new Promise(resolve => {
    talker.on('message', bytes => {
      const message = JSON.parse(bytes);
      if (message.type === 'PONG') add('PONG');
      if (message.type === 'ROOM_JOINED') {
        lastSeq = message.seq;
        resolve();
      }
      if (message.type === 'ROOM_UPDATE') {
        add('update');
        if (message.seq !== lastSeq + 1) add('outOfOrder');
        lastSeq = message.seq;
      }
    });
  });

  let ask;
  Promise.all([listening, joined]).then(() => {
    ask = setInterval(() => {
      talker.send('{"action":"PING"}');
      talker.ping();
    }, 20);
    parentPort.postMessage('joined');
  });
  parentPort.once('message', () => {
    leaving = true;
    clearInterval(ask);
    talker.close();
    listener.close();
  });
}

if (!isMainThread && workerData?.counters) watch(workerData);

module.exports = { COUNTERS };
