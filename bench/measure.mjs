// The runs: every scenario with every peer in turn, and all of that again for every run, so that
// whatever else the machine does meets all of them alike.

import { sizeFor } from './scenarios/all.mjs';
import { Stage } from './stage.mjs';

/**
 * Returns `{ runs, versions, faults }`: `runs` a list of `{ [scenario]: { [peer]: figures } }`,
 * `faults` what made a measurement void. A peer that does not start is told of and left out.
 */
export async function measure({ scenarios, peers, runs: count, quick, descriptors }, tell) {
  const runs = [];
  const versions = {};
  const faults = [];
  const absent = {};
  for (let index = 0; index < count; index++) {
    const run = {};
    for (const scenario of scenarios) {
      run[scenario.name] = {};
      for (const peer of peers) {
        if (absent[peer.name] || scenario.applies?.(peer) === false) continue;
        const size = sizeFor(scenario, peer, { quick, descriptors });
        let stage;
        try {
          stage = await Stage.open(peer, size.rooms);
        } catch (error) {
          absent[peer.name] = error.message;
          tell(`${peer.title} does not start here and is left out: ${error.message}`);
          continue;
        }
        versions[peer.name] = stage.version;
        try {
          let figures;
          const others = await stage.others(async () => {
            figures = await scenario.measure(stage, peer, size);
          });
          figures.others = others;
          run[scenario.name][peer.name] = figures;
          tell(`run ${index + 1}/${count}, ${scenario.name}, ${peer.name}`, figures);
        } catch (error) {
          faults.push(`run ${index + 1}, ${scenario.name}, ${peer.name}: ${error.message}`);
          tell(faults.at(-1));
        } finally {
          await stage.close();
        }
      }
    }
    runs.push(run);
  }
  return { runs, versions, faults, absent };
}
