import {
  batches,
  HEARTBEAT,
  idle,
  MANY,
  oneChannel,
  rates,
  resuming,
  type Setup,
  singles,
  smoke,
  subscribes,
  tenOfHundred,
} from './setups.ts';

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** A description for readers of the report. */
  readonly about: string;
  readonly setups: readonly Setup[];
  /** Default duration of a run's measured part. */
  readonly seconds: number;
}

const SMALL_CHANNEL = 50;
/** A little more than one heartbeat interval. */
const IDLE_SECONDS = 35;
const SECONDS = 10;
/** The clients of a storm join a separate channel without publications. */
const STORM = { storm: 5000, channels: 2, steps: rates(100) };

const W1: Workload = {
  id: 'W1',
  title: 'One channel, 1,000 subscribers',
  about: 'Every publication goes to all 1,000 connections of one channel.',
  seconds: SECONDS,
  setups: [oneChannel('raw', 'raw'), oneChannel('Socket.IO', 'socketio')],
};

const W2: Workload = {
  id: 'W2',
  title: '100 channels, 1,000 connections',
  about: 'Each connection is in 10 of 100 channels, so that each channel has 100 subscribers.',
  seconds: SECONDS,
  setups: [
    {
      ...oneChannel('raw', 'raw'),
      channels: 100,
      channelsOf: tenOfHundred,
      parts: [{ label: '', firstChannel: 0, lastChannel: 99 }],
      steps: rates(8000, 20_000),
    },
  ],
};

const W3: Workload = {
  id: 'W3',
  title: '15,000 connections, one channel each',
  about: 'Personal channels: each publication goes to one connection, to each one every 10 s.',
  seconds: SECONDS,
  setups: [
    {
      ...oneChannel('raw', 'raw'),
      connections: MANY,
      channels: MANY,
      channelsOf: (connection) => [connection],
      personal: true,
      parts: [{ label: '', firstChannel: 0, lastChannel: MANY - 1 }],
      steps: rates(MANY / 10),
      rest: 'frames',
      heartbeatSeconds: HEARTBEAT,
    },
  ],
};

const W4: Workload = {
  id: 'W4',
  title: '15,000 idle connections',
  about:
    'Connections that are authenticated, subscribed and answer heartbeats every 30 s. Memory per ' +
    'connection is RSS with all of them, less RSS with none, over their number; servers that run ' +
    'on Node collect their garbage before each reading.',
  seconds: IDLE_SECONDS,
  setups: [idle('raw', 'raw'), idle('Socket.IO', 'socketio')],
};

const W5: Workload = {
  id: 'W5',
  title: 'The publish API',
  about:
    'HTTP POST /api/publish to one publisher process: authenticated, validated, stored in Redis. ' +
    'Without a rate, each connection sends its next request when the last one is answered.',
  seconds: SECONDS,
  setups: [
    {
      ...singles(64),
      steps: [
        { label: 'closed loop', rate: 0 },
        { label: '10,000/s', rate: 10_000 },
      ],
    },
    { ...singles(64), label: 'single, by token', credential: 'token' },
    { ...singles(64), label: 'single, live only', live: true },
    batches(100, 8),
    batches(1000, 4),
    { ...batches(100, 8), label: 'batches of 100, live only', live: true },
  ],
};

const W6: Workload = {
  id: 'W6',
  title: 'Stalled readers',
  about:
    'W1 at 1,000 publications a second, with all connections reading and with 5 % of them ' +
    'stalled. The latency is that of the reading connections.',
  seconds: SECONDS,
  setups: [
    { ...oneChannel('all read', 'raw'), steps: rates(1000) },
    { ...oneChannel('5 % stalled', 'raw'), steps: rates(1000), stalled: 50 },
  ],
};

const W7: Workload = {
  id: 'W7',
  title: 'Half raw, half Socket.IO',
  about: 'W1 with clients of both kinds on one channel.',
  seconds: SECONDS,
  setups: [{ ...oneChannel('half', 'half'), steps: rates(1000, 4000) }],
};

const W8: Workload = {
  id: 'W8',
  title: 'A small channel beside one of 15,000',
  about:
    'A channel with 15,000 subscribers gets 20 publications a second, and one with 50 subscribers ' +
    'gets 50; their latencies are reported separately.',
  seconds: SECONDS,
  setups: [
    {
      ...oneChannel('raw', 'raw'),
      connections: MANY + SMALL_CHANNEL,
      channels: 2,
      channelsOf: (connection) => [connection < MANY ? 0 : 1],
      parts: [
        { label: '15,000 subscribers', firstChannel: 0, lastChannel: 0 },
        { label: '50 subscribers', firstChannel: 1, lastChannel: 1 },
      ],
      steps: [{ label: '20/s and 50/s', rates: [20, 50] }],
      rest: 'frames',
      heartbeatSeconds: HEARTBEAT,
    },
  ],
};

const W9: Workload = {
  id: 'W9',
  title: 'A storm of joins',
  about:
    'W1 at 100 publications a second, while 5,000 more clients connect all at once, each with a ' +
    'token of its own. Refused clients retry within 5 s, as Retry-After says. The latency is that ' +
    'of the 1,000 clients that were connected before.',
  seconds: 8,
  setups: [
    { ...oneChannel('nobody comes', 'raw'), steps: rates(100) },
    { ...oneChannel('raw', 'raw'), ...STORM },
    { ...oneChannel('Socket.IO', 'socketio'), ...STORM },
  ],
};

const W10: Workload = {
  id: 'W10',
  title: 'Subscribing with grants',
  about:
    'Fifty raw clients subscribe to the same 400 projects, one after the other, each with the next ' +
    'command when the last one is answered: by their token, by a grant for each project that the ' +
    'gateway has not seen, and by grants that it has verified before.',
  seconds: SECONDS,
  setups: [subscribes('token'), subscribes('new grant'), subscribes('known grant')],
};

const BESIDE = { ...singles(8), steps: [{ label: '500/s', rate: 500 }] };

const W11: Workload = {
  id: 'W11',
  title: 'One body to 2,000 users',
  about:
    'Single events at 500 requests a second, and beside them, once a second, an event of 3 KB for ' +
    '2,000 users: as one event with `user_ids`, and as two batches of 1,000 copies. The latency is ' +
    'that of the single events; the time of the event for all users has a column of its own.',
  seconds: SECONDS,
  setups: [
    { ...BESIDE, label: 'nothing beside' },
    { ...BESIDE, label: 'user_ids', beside: 'list' },
    { ...BESIDE, label: 'batches of copies', beside: 'batch' },
  ],
};

const LONG = 5000;

const W12: Workload = {
  id: 'W12',
  title: 'Long resumes beside live traffic',
  about:
    'W1 at 100 publications a second, while raw clients in a process of their own resume another ' +
    'project from its beginning, again and again: 5,000 events of 20 KB. The latency is that of the ' +
    '1,000 other clients; the time until all have caught up has a column of its own.',
  seconds: SECONDS,
  setups: [
    resuming('no resume', 0, LONG),
    resuming('1 resume', 1, LONG),
    resuming('20 resumes', 20, LONG),
  ],
};

export const WORKLOADS: readonly Workload[] = [W1, W2, W3, W4, W5, W6, W7, W8, W9, W10, W11, W12];

/** Small workloads for any machine and for tests: they show losses, not speed. */
export const SMOKE_WORKLOADS: readonly Workload[] = [
  {
    ...W1,
    title: 'One channel, 100 subscribers',
    about: 'Every publication goes to all 100 connections of one channel.',
    seconds: 2,
    setups: [smoke('raw', 'raw'), smoke('Socket.IO', 'socketio')],
  },
  {
    ...W5,
    seconds: 1,
    setups: [singles(8), batches(100, 2)],
  },
];
