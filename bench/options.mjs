// The command line.

import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [options]
  --quick        one run with fewer clients; ends within two minutes
  --runs N       runs, of which medians are taken (5; 1 with --quick)
  --only A,B     these scenarios: room, call, burst, rooms, accept, memory
  --peers A,B    these peers: floor, roomcast, standalone, relayed, uws, bun, ws, socket.io
  --json FILE    writes the result there
  --write        writes docs/benchmarks.json and what is generated of docs/benchmarks.md (full only)`;

/** Throws, with what is wrong, where the command line is. */
export function parse(args, scenarios, peers) {
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
  const { quick, json, help } = values;
  const runs = Number(values.runs ?? (quick ? 1 : 5));
  if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs wants a number from 1 on');
  if (quick && values.write) throw new Error('--write is for full runs: leave --quick out');
  return {
    quick,
    runs,
    json,
    help,
    write: values.write,
    scenarios: choose('scenario', scenarios, values.only),
    peers: choose('peer', peers, values.peers ?? (quick ? QUICK : undefined)),
  };
}

/** The references, and roomcast. */
const QUICK = 'floor,roomcast,standalone,uws,ws';

function choose(kind, all, names) {
  if (!names) return all;
  return names.split(',').map(name => {
    const found = all.find(one => one.name === name);
    if (!found) throw new Error(`no ${kind} is called ${name}`);
    return found;
  });
}
