// The command line.

import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [options]
  --quick        one run with fewer clients; ends within two minutes
  --runs N       runs, of which medians are taken (5; 1 with --quick)
  --only A,B     these scenarios: room, call, burst, rooms, accept, memory (all these: hub);
                 across, carried, carried-rooms, thread (all these: cluster). --quick means hub
  --peers A,B    these peers: floor, roomcast, standalone, relayed, uws, bun, ws, socket.io;
                 clustered, socket.io-redis, socket.io-sharded, ws-redis
  --json FILE    writes the result there
  --write        writes what is generated of docs/benchmarks.md, and the numbers beside it: the part of
                 hub, of cluster, or both, each as a whole (full runs only)`;

/** Throws, with what is wrong, where the command line is. */
export function parse(args, groups, peers) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      runs: { type: 'string' },
      only: { type: 'string' },
      peers: { type: 'string' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { quick, json, help, write } = values;
  const runs = Number(values.runs ?? (quick ? 1 : 5));
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs wants a number from 1 on');
  if (quick && write) throw new Error('--write is for full runs: leave --quick out');
  const scenarios = choose('scenario', groups, values.only ?? (quick ? 'hub' : undefined));
  const partly = all => all.some(one => scenarios.includes(one)) && !whole(all, scenarios);
  if (write && Object.values(groups).some(partly)) {
    throw new Error('--write wants all scenarios of a group');
  }
  return {
    quick,
    runs,
    json,
    help,
    write,
    scenarios,
    peers: choose('peer', { all: peers }, values.peers ?? (quick ? QUICK : undefined)),
  };
}

/** The references, and roomcast; all who are of the cluster. */
const QUICK =
  'floor,roomcast,standalone,uws,ws,clustered,socket.io-redis,socket.io-sharded,ws-redis';

const whole = (all, chosen) => all.every(one => chosen.includes(one));

/** Each name is one of a group's, or the group's. */
function choose(kind, groups, names) {
  const all = Object.values(groups).flat();
  if (!names) return all;
  const chosen = names.split(',').flatMap(name => {
    const found = groups[name] ?? all.filter(one => one.name === name);
    if (found.length === 0) throw new Error(`no ${kind} is called ${name}`);
    return found;
  });
  return all.filter(one => chosen.includes(one));
}
