'use strict';

// A bot that ends its process in the middle of things: updates that never stop, clients that wait
// for a verdict, and what the settings say.
//
// Settings: { form, where, clients }. Lines: { port }. It exits with 7, or as an error that nobody
// catches has it, once so many clients have joined.

const { openHub } = require('../server');

const { form, where, clients } = JSON.parse(process.argv[2]);
const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);

const exit = () => process.exit(7);

let full = false;

/** Does what the settings say, where it is the place that they name. */
function at(place) {
  if (full && place === where) exit();
}

const write = () => at('logger');

const options = {
  logger: { debug: write, info: write, warn: write, error: write },
  threads: 2,
  authenticate: async request => {
    at('authenticate');
    const userId = new URL(request.url, 'ws://host').searchParams.get('userId');
    if (userId === 'never') await new Promise(() => {});
    if (userId === 'broken') throw new Error('broken');
    return userId;
  },
  authorizeJoin: () => {
    at('authorizeJoin');
    return true;
  },
};

function onFull(hub) {
  full = true;
  switch (where) {
    case 'timer':
      setImmediate(exit);
      break;
    case 'drain':
      hub.close({ spreadMs: 60_000 });
      setImmediate(exit);
      break;
    case 'close listener':
      hub.once('close', exit);
      hub.close({ graceMs: 0 });
      break;
    case 'exit listener':
      process.once('exit', exit);
      process.exit(1);
      break;
    case 'uncaught error':
      setImmediate(() => {
        throw new Error('of the bot');
      });
      break;
    case 'unhandled rejection':
      Promise.reject(new Error('of the bot'));
      break;
    case 'exit code':
      process.exitCode = 7;
      setImmediate(() => process.exit());
      break;
    case 'join listener':
      exit();
      break;
    default:
      // The other places are come by.
      break;
  }
}

async function run() {
  const { hub, port } = await openHub(form, options);
  for (const event of ['connection', 'leave', 'slow', 'disconnect']) hub.on(event, () => {});
  let joined = 0;
  hub.on('join', () => {
    joined += 1;
    if (joined === clients) onFull(hub);
  });
  say({ port });
  // Not as fast as can be: whoever reads them shares a machine with this.
  for (let count = 0; ; count += 1) {
    hub.broadcastParticipantCount(1, count, 2 ** 31);
    await new Promise(resolve => setTimeout(resolve, 1));
  }
}

run();
