// Mutations of the pacing window; see mutations.mjs.
const flusher = 'packages/core/src/writing/flusher.ts';
const pace = 'packages/core/src/writing/pace.ts';
const sums = 'packages/core/src/writing/write-sums.ts';

/** The pacing window in simulated processes, see packages/core/test/plant.ts. */
const plant = {
  name: 'the plant',
  args: [
    'node_modules/vitest/vitest.mjs',
    ...['run', '--project', 'unit', 'packages/core/src/writing/pace-in-a-plant'],
  ],
  says: ({ output }) => /FAIL .* > ([^\n]*)/.exec(output)?.[1],
};

export const PACE_MUTATIONS = [
  {
    name: 'the turns that a write brings together',
    about: 'sockets that are seldom written to count as if they were written to in every window',
    patches: [{ file: sums, from: 'Math.min(turns, windows)', to: 'windows' }],
    proof: plant,
  },
  {
    name: 'the time between two writes',
    about: 'a write counts as one window after the one before, however long ago that was',
    patches: [
      {
        file: flusher,
        from: 'this.#pace.wrote(now - outbox.flushedAt, outbox.turns)',
        to: 'this.#pace.wrote(this.#pace.windowMs, outbox.turns)',
      },
    ],
    proof: plant,
  },
  {
    name: 'the reluctance to change the window',
    about: 'the same share of the time makes it longer and shorter',
    patches: [
      { file: pace, from: 'const RELAX_BELOW = 0.45;', to: 'const RELAX_BELOW = 0.6;' },
      { file: pace, from: 'const SHORTEN_BELOW = 0.4;', to: 'const SHORTEN_BELOW = 0.45;' },
      { file: pace, from: 'const KEPT_BELOW = 0.9;', to: 'const KEPT_BELOW = 0.65;' },
    ],
    proof: plant,
  },
];
