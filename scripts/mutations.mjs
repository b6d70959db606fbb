// What `npm run verify:mutations` takes out of the code, and what has to notice. A patch names the
// text that it replaces, which has to be there exactly once.
import { grantMutations } from './grant-mutations.mjs';
import { HEARING_MUTATIONS } from './hearing-mutations.mjs';
import { liveMutations } from './live-mutations.mjs';
import { PACE_MUTATIONS } from './pace-mutations.mjs';
import { recoveryMutations } from './recovery-mutations.mjs';

const feed = 'packages/broker-redis/src/broker/channel-feed.ts';
const held = 'packages/core/src/recovery/held-publications.ts';
const hub = 'packages/core/src/fan-out/hub.ts';
const subscription = 'packages/core/src/fan-out/subscription.ts';

/** `leque verify`: real processes, a real Redis, faults between them. */
const scenario = (name, seed) => ({
  name: `verify: ${name}`,
  args: [
    'apps/leque/src/main.ts',
    ...['verify', '--only', name, '--seed', String(seed), '--out', 'results'],
  ],
  /** The findings of its audit. */
  says: ({ read }) => JSON.parse(read('results/results.json'))[0].violations.join('; '),
});

/** The model test, see packages/broker-redis/test/model. */
const model = {
  name: 'the model',
  args: [
    'node_modules/vitest/vitest.mjs',
    ...['run', '--project', 'unit', 'packages/broker-redis/test/model'],
  ],
  env: { MODEL_RUNS: '10000' },
  says: ({ output }) => /MODEL_SEED=.*/.exec(output)?.[0],
};

/** Reads and writes with every right and without it, over real processes; see test/isolation. */
const isolation = {
  name: 'the isolation fuzz',
  args: [
    'node_modules/vitest/vitest.mjs',
    ...['run', '--project', 'integration', 'test/isolation'],
  ],
  env: { FUZZ_SEED: '1', ISOLATION_ATTEMPTS: '5000' },
  says: ({ output }) =>
    /"?(?:\S+ got|was allowed:|was refused:|the result of) [^\n]*/.exec(output)?.[0],
};

const gapPasses = {
  file: feed,
  from: "    if (verdict !== 'next') return verdict;",
  to: "    if (verdict !== 'next' && verdict !== 'gap') return verdict;",
};

const flowsWithoutOutcome = [
  {
    file: hub,
    from: '      this.#drop(session, subscription);\n      // The client',
    to: '      if (existing === undefined) this.#drop(session, subscription);\n      else subscription.giveUpRecovery();\n      // The client',
  },
  {
    file: hub,
    from: '      if (existing !== undefined || since !== undefined) session.close(...cannotContinue(channel));\n',
    to: '',
  },
];

/** The scenarios in which clients come back while their histories cannot be read. */
const UNREADABLE_HISTORIES = [
  'slow-history',
  'paused-redis',
  'full-disk',
  'evicting-redis',
  'packet-loss',
];

export const MUTATIONS = [
  {
    name: 'the right to publish',
    about: 'the scope publish allows every channel',
    patches: [
      {
        file: 'packages/core/src/access/grants.ts',
        from: "    return this.has('publish') && (kind === 'project' || kind === 'user') && this.covers(channel);\n",
        to: "    return this.has('publish') || kind === channel;\n",
      },
    ],
    proof: isolation,
  },
  {
    name: 'the right to read',
    about: 'every token covers every project',
    patches: [
      {
        file: 'packages/core/src/access/grants.ts',
        from: '    return this.#allProjects || this.#projects.includes(projectId);\n',
        to: '    return this.#allProjects || projectId !== undefined;\n',
      },
    ],
    proof: isolation,
  },
  {
    name: 'the address in data',
    about: 'an event whose data names somebody goes to everybody',
    patches: [
      {
        file: 'packages/protocol/src/events/addressing.ts',
        from: '    if (value !== undefined) return ',
        to: "    if (value === '') return ",
      },
    ],
    proof: isolation,
  },
  {
    name: 'the owner of a key',
    about: 'callers with the same idempotency key get the same result',
    patches: [
      {
        file: 'apps/publisher/src/publishing/event-checks.ts',
        from: 'function ownedKey(key: string, { owner }: Caller): string {',
        to: "function ownedKey(key: string, _: Caller, owner = ''): string {",
      },
    ],
    proof: isolation,
  },
  {
    name: 'the rights to the channels of a list',
    about: 'an event with lists goes to every user and project that it names',
    patches: [
      {
        file: 'apps/publisher/src/publishing/checked-lists.ts',
        from: 'if (!grants.mayPublish(channel)) return forbidden(channel);',
        to: 'if (!grants) return forbidden(channel);',
      },
    ],
    proof: isolation,
  },
  {
    name: 'the gap check',
    about: 'nothing is compared after a reconnect, and a later offset is delivered at once',
    patches: [
      gapPasses,
      {
        file: feed,
        from: '    else if (this.#keepsHistory) this.#fill();\n',
        to: '    else if (this.#keepsHistory) return;\n',
      },
    ],
    proof: scenario('redis-link', 1),
  },
  {
    name: 'the probe',
    about: 'a connection that is open and dead is left as it is',
    patches: [
      {
        file: 'packages/broker-redis/src/link/probe.ts',
        from: "    subscribing.rebuild('published messages do not arrive');\n",
        to: '',
      },
    ],
    proof: scenario('redis-link', 1),
  },
  {
    name: 'the lease',
    about: 'nodes that are dead count on',
    patches: [
      {
        file: 'packages/broker-redis/src/open-redis.ts',
        from: 'const LEASE_MS = 8_000;',
        to: 'const LEASE_MS = 3_600_000;',
      },
    ],
    proof: scenario('kill-gateway', 1),
  },
  {
    name: 'the idempotency look-up',
    about: 'what is published again under its key is stored again',
    patches: [
      {
        file: 'packages/broker-redis/src/functions/append.lua',
        from: '  if earlier then return earlier end\n',
        to: '',
      },
    ],
    proof: scenario('kill-publisher', 1),
  },
  {
    name: 'the gap check of live publications alone',
    about: 'a later offset is delivered at once',
    patches: [gapPasses],
    proof: model,
  },
  {
    name: 'the duplicate check',
    about: 'an earlier offset is delivered again',
    patches: [
      {
        file: feed,
        from: "    if (verdict !== 'next') return verdict;",
        to: "    if (verdict !== 'next' && verdict !== 'old') return verdict;",
      },
    ],
    proof: model,
  },
  {
    name: 'the resync',
    about: 'a history that does not reach back is passed over',
    patches: [{ file: feed, from: '      this.#resync(top);\n', to: '' }],
    proof: model,
  },
  {
    name: 'the order of a resume',
    about: 'what came meanwhile is delivered before what was missed',
    patches: [
      {
        file: held,
        from: 'return this.hasGap || this.#missed.length > 0;',
        to: 'return this.hasGap;',
      },
      {
        file: held,
        from: '[...this.#missed.splice(0), ...this.#arrived.splice(0)]',
        to: '[...this.#arrived.splice(0), ...this.#missed.splice(0)]',
      },
    ],
    proof: model,
  },
  ...recoveryMutations(model),
  {
    name: 'the hold for an unknown outcome',
    about: 'after a history that cannot be read, what is newer flows',
    patches: flowsWithoutOutcome,
    proof: model,
  },
  ...UNREADABLE_HISTORIES.map((name) => ({
    name: `the hold for an unknown outcome, in ${name}`,
    about: 'after a history that cannot be read, what is newer flows',
    patches: flowsWithoutOutcome,
    proof: scenario(name, 1),
  })),
  ...liveMutations(model),
  {
    name: 'the bound of what is held',
    about: 'a session that waits holds whatever comes',
    patches: [
      {
        file: subscription,
        from: '    if (held.append(publication)) return;\n',
        to: '    held.append(publication);\n    if (held !== undefined) return;\n',
      },
    ],
    proof: model,
  },
  {
    name: 'the grants of a fresh token',
    about: 'what it does not cover any more stays subscribed',
    patches: [
      {
        file: hub,
        from: '    return this.dropUncovered(session, isWanted);\n',
        to: '    return isWanted === undefined ? [] : [];\n',
      },
    ],
    proof: model,
  },
  ...HEARING_MUTATIONS,
  ...grantMutations(isolation),
  ...PACE_MUTATIONS,
];
