// The runs: every scenario with every peer in turn, and all of that again for every run, so that
// whatever else the machine does meets all of them alike.

import { fits, sizeFor } from './scenarios/all.mjs';
import { Stage } from './stage.mjs';

/**
 * Returns `{ runs, versions, faults }`: `runs` a list of `{ [scenario]: { [peer]: figures } }`,
 * `faults` what made a measurement void, `{ scenario, text }` each. A peer that does not start is told
 * of and left out.
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
        if (absent[peer.name] || !fits(scenario, peer)) continue;
        const size = sizeFor(scenario, peer, { quick, descriptors });
        let stage;
        try {
          stage = await (scenario.stage ?? Stage).open(peer, size);
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
          // Whom a scenario measures in turn with the peer, so that the two meet the same moments.
          const { beside, ...own } = figures;
          for (const [name, measured] of Object.entries({ [peer.name]: own, ...beside })) {
            run[scenario.name][name] = { ...measured, others };
            tell(`run ${index + 1}/${count}, ${scenario.name}, ${name}`, run[scenario.name][name]);
          }
        } catch (error) {
          const text = `run ${index + 1}, ${scenario.name}, ${peer.name}: ${error.message}`;
          faults.push({ scenario: scenario.name, text });
          tell(text);
        } finally {
          await stage.close();
        }
      }
    }
    runs.push(run);
  }
  return { runs, versions, faults, absent };
}
