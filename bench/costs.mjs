// What an update costs each part of a cluster, as figures.

const parts = {
  cpuHere: 'here',
  cpuHereMain: 'hereMain',
  cpuHereCluster: 'hereCluster',
  cpuThere: 'there',
  cpuThereCluster: 'thereCluster',
  cpuRedis: 'redis',
  cpuClients: 'clients',
};

export const costs = {
  figures: Object.keys(parts),

  /** Microseconds per update; a peer is without the figures of a part that it does not have. */
  each(spent, updates) {
    return Object.fromEntries(
      Object.entries(parts)
        .filter(([, part]) => spent[part] !== undefined)
        .map(([figure, part]) => [figure, spent[part] / updates / 1e3]),
    );
  },
};
