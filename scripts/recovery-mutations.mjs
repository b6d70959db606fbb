// The mutations of long resumes, of the order over channels, and of the newer of two positions; see
// mutations.mjs.
const held = 'packages/core/src/recovery/held-publications.ts';

/** Runs one file of unit tests. */
const unit = (name, file) => ({
  name,
  args: ['node_modules/vitest/vitest.mjs', ...['run', '--project', 'unit', file]],
  says: ({ output }) => /FAIL .* > ([^\n]*)/.exec(output)?.[1] ?? /FAIL [^\n]*/.exec(output)?.[0],
});

const MUTATIONS = [
  {
    name: 'the late cursor',
    about: 'what was missed is replayed although newer ones were delivered',
    patches: [
      {
        file: 'packages/core/src/fan-out/seen-positions.ts',
        from: '    if (this.delivered && cursor.offset < (last?.offset ?? 0)) return false;\n',
        to: '',
      },
    ],
  },
  {
    name: 'the hand-over from pages to what is live',
    about: 'a channel flows after its first page',
    patches: [
      {
        file: held,
        from: "    if (!isLast) this.dropArrived();\n    else if (this.#gap === 'reading') this.#gap = 'none';\n",
        to: "    this.#gap = 'none';\n",
      },
    ],
  },
  {
    name: 'the gap behind what is dropped',
    about: 'what has no room while a cursor is answered is not read again',
    patches: [
      {
        file: held,
        from: "publication.isLive));\n    this.#gap = 'open';\n",
        to: 'publication.isLive));\n',
      },
    ],
  },
  {
    name: 'the order of a resume over channels',
    about: 'one channel is sent after the other',
    patches: [
      {
        file: 'packages/core/src/recovery/replay.ts',
        from: 'while (held.hasMissed && held.nextStoredAt <= until) {',
        to: 'while (held.hasMissed) {',
      },
    ],
    proof: unit('the replay', 'packages/core/src/recovery/replay'),
  },
  {
    name: 'the trimmed history between two pages',
    about: 'a client is not told that the history has lost what it missed',
    patches: [
      {
        file: 'packages/core/src/recovery/replay.ts',
        from: '    if (!page.complete) subscription.miss(page.position);\n',
        to: '',
      },
    ],
    proof: unit('the replay', 'packages/core/src/recovery/replay'),
  },
  {
    name: 'the newer of two cursors',
    about: 'an older cursor is replayed over what a newer one covers',
    patches: [
      {
        file: 'packages/core/src/fan-out/seen-positions.ts',
        from: 'this.#isClaimed && this.#since ?',
        to: 'this.#isClaimed && !this.#since ?',
      },
    ],
    proof: unit('the cursors', 'packages/core/src/fan-out/subscription-cursors'),
  },
  {
    name: "the newer of a cursor and Socket.IO's offset",
    about: 'the offset counts, although the state was fetched later',
    patches: [
      {
        file: 'packages/transport-socketio/src/recovery/newer-positions.ts',
        from: '    positions.set(channel, presented);\n',
        to: '',
      },
    ],
    proof: unit('the positions', 'packages/transport-socketio/src/recovery/newer-positions'),
  },
];

/** @param model the model test, as the proof of those without one of their own */
export const recoveryMutations = (model) => MUTATIONS.map((each) => ({ proof: model, ...each }));
