// Mutations of the rules of what a session hears (rule HR of PROTOCOL.md); see mutations.mjs.
const clientSession = 'packages/core/src/clients/client-session.ts';
const endpointFeed = 'packages/core/src/clients/endpoint-feed.ts';
const firehoseShare = 'packages/core/src/clients/firehose-share.ts';
const heldGrants = 'packages/core/src/clients/held-grants.ts';
const hub = 'packages/core/src/fan-out/hub.ts';

/** Random sessions beside the table of rule HR, see packages/testkit/src/contracts/hearing-contract.ts. */
const hearing = {
  name: 'the table of rights',
  args: [
    'node_modules/vitest/vitest.mjs',
    ...['run', '--project', 'unit', 'packages/core/src/clients/hearing'],
  ],
  env: { HEARING_RUNS: '2000' },
  says: ({ output }) => /AssertionError: (seed \d+)/.exec(output)?.[1],
};

export const HEARING_MUTATIONS = [
  {
    name: 'the channels that a fresh token ends',
    about: 'what it does not cover any more stays subscribed',
    patches: [
      {
        file: hub,
        from: '!session.mayHear(channel) || !isWanted(channel)',
        to: '!isWanted(channel)',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the end of a grant',
    about: 'a grant whose time is over stays',
    patches: [
      {
        file: heldGrants,
        from: 'session.rooms?.expire(context.clock.now());',
        to: 'session.rooms?.expire(0);',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the name of what ends',
    about: 'the client is not told which channels its rights do not cover any more',
    patches: [
      {
        file: clientSession,
        from: '    for (const { channel, cursor } of ended) this.#handler.ended({ channel, cursor, reason });\n',
        to: '',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the memory of what was chosen',
    about: 'a chosen project that is covered again does not come back',
    patches: [
      {
        file: endpointFeed,
        from: '...this.#given(identity), ...(this.#chosen ?? NONE)',
        to: '...this.#given(identity)',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the selection by subscribe',
    about: 'a first subscribe leaves the other projects as they are',
    patches: [
      {
        file: endpointFeed,
        from: '    if (!this.#takesAll) return NONE;\n',
        to: '    if (channels.length > 0) return NONE;\n',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the selection by unsubscribe',
    about: 'a first unsubscribe leaves no project',
    patches: [
      {
        file: endpointFeed,
        from: '    if (this.#takesAll) this.#choose(this.#given()',
        to: '    if (this.#share !== undefined) this.#choose(this.#given()',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the resume that selects nothing',
    about: 'a resume selects its projects, as a subscribe does',
    patches: [
      {
        file: endpointFeed,
        from: '    this.continueWith(begun);\n',
        to: '    this.#select(begun);\n',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the projects that the firehose leaves out',
    about: 'what is resumed comes by the firehose as well',
    patches: [
      {
        file: firehoseShare,
        from: '!this.#apart.has(origin)',
        to: '!this.#apart.has(origin.repeat(2))',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the cursors that come with a token',
    about: 'what was missed of a channel that comes back is not replayed',
    patches: [
      {
        file: endpointFeed,
        from: '    const results = await this.#resume(cursors);\n    await this.#openMissing',
        to: '    const results = await this.#resume(NO_CURSORS);\n    await this.#openMissing',
      },
    ],
    proof: hearing,
  },
  {
    name: 'the firehose that waits for cursors',
    about: 'what it holds back of a project flows before the outcome of its cursor',
    patches: [
      {
        file: firehoseShare,
        from: 'const early = firehose.holding ? bound : [];',
        to: 'const early = firehose.holding ? [] : [];',
      },
    ],
    proof: hearing,
  },
];
