// Mutations of the rules that keep live-only events in their places; see mutations.mjs.
export const liveMutations = (proof) => [
  {
    name: 'the place of live-only events',
    about: 'a node sends one that came behind stored events which had followed it',
    patches: [
      {
        file: 'packages/broker-redis/src/broker/channel-feed.ts',
        from: "    if (isOvertaken(after, this.position)) return 'next'; // live only: nobody gets it\n",
        to: '',
      },
    ],
    proof,
  },
  {
    name: 'live-only events that the cursor has passed',
    about: 'a client that comes back gets live-only events from before its cursor',
    patches: [
      {
        file: 'packages/core/src/fan-out/seen-positions.ts',
        from: 'return isOvertaken(after, this.last);',
        to: 'return false;',
      },
    ],
    proof,
  },
];
