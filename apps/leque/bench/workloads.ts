/** What the clients are: raw WebSocket (or the target's own protocol), Socket.IO, half of each. */
export type Mix = 'raw' | 'socketio' | 'half';

interface SetupBase {
  /** Unique within the workload. */
  readonly label: string;
  readonly mix: Mix;
  readonly connections: number;
  readonly channels: number;
  /** What the connection with this number is subscribed to. */
  readonly channelsOf: (connection: number) => readonly number[];
  /** Seconds between the heartbeats of the server; undefined for none during a run. */
  readonly heartbeatSeconds?: number;
}

/** Publications at given rates to connections that are there. */
export interface FanOutSetup extends SetupBase {
  readonly kind: 'fan-out';
  /** Each channel is of one user. */
  readonly personal: boolean;
  /** Which channels have a rate and latencies of their own. */
  readonly parts: readonly Part[];
  /** So many of the connections, the last ones, do not read. */
  readonly stalled: number;
  readonly steps: readonly Step[];
  /** How the connections are counted that are not parsed fully, see the generator. */
  readonly rest: 'bytes' | 'frames';
}

export interface Part {
  /** Empty where there is only one. */
  readonly label: string;
  readonly firstChannel: number;
  readonly lastChannel: number;
}

export interface Step {
  readonly label: string;
  /** Publications per second, one rate for each part. */
  readonly rates: readonly number[];
}

/** Connections with nothing to do but to answer heartbeats. */
export interface IdleSetup extends SetupBase {
  readonly kind: 'idle';
}

/** Events sent to the publish API. */
export interface PublishSetup {
  readonly kind: 'publish';
  readonly label: string;
  readonly connections: number;
  readonly credential: 'api key' | 'token';
  /** Events in one request; 1 sends a single event, not a batch of one. */
  readonly batch: number;
  /** Requests per second; 0 for as many as are answered, one at a time on each connection. */
  readonly steps: readonly { readonly label: string; readonly rate: number }[];
}

export type Setup = FanOutSetup | IdleSetup | PublishSetup;

export interface Workload {
  readonly id: string;
  readonly title: string;
  /** For who reads the report. */
  readonly about: string;
  readonly setups: readonly Setup[];
  /** What a run takes when nothing else is asked for, in seconds. */
  readonly seconds: number;
}

const ONE_CHANNEL: readonly Part[] = [{ label: '', firstChannel: 0, lastChannel: 0 }];
const HEARTBEAT = 30;
const CLOSED_LOOP = [{ label: 'closed loop', rate: 0 }];
const MANY = 15_000;
const SMALL_CHANNEL = 50;
/** A round of heartbeats, and something. */
const IDLE_SECONDS = 35;
const SECONDS = 10;

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
    batches(100, 8),
    batches(1000, 4),
  ],
};

const W6: Workload = {
  id: 'W6',
  title: 'Stalled readers',
  about:
    'W1 at 1,000 publications a second, without and with 5 % of the connections that stop ' +
    'reading. The latency is that of those which read.',
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
    'gets 50, whose latency is told apart.',
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

export const WORKLOADS: readonly Workload[] = [W1, W2, W3, W4, W5, W6, W7, W8];

/** Small enough for any machine, and for a test: it shows that nothing is lost, not how fast. */
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

/** Connections that read what is published in these channels, over all channels of the part. */
export function readersOf(setup: FanOutSetup, { firstChannel, lastChannel }: Part): number {
  const readers = setup.connections - setup.stalled;
  let count = 0;
  for (let connection = 0; connection < readers; connection += 1) {
    for (const channel of setup.channelsOf(connection)) {
      if (channel >= firstChannel && channel <= lastChannel) count += 1;
    }
  }
  return count;
}

/** Deliveries per second of one part when publications come at this rate. */
export function offeredDeliveries(setup: FanOutSetup, part: Part, rate: number): number {
  const channels = part.lastChannel - part.firstChannel + 1;
  return (rate * readersOf(setup, part)) / channels;
}

function oneChannel(label: string, mix: Mix): FanOutSetup {
  return {
    kind: 'fan-out',
    label,
    mix,
    connections: 1000,
    channels: 1,
    channelsOf: () => [0],
    personal: false,
    parts: ONE_CHANNEL,
    stalled: 0,
    steps: rates(100, 1000, 4000),
    rest: 'bytes',
  };
}

function smoke(label: string, mix: Mix): FanOutSetup {
  return { ...oneChannel(label, mix), connections: 100, steps: rates(200) };
}

function idle(label: string, mix: Mix): IdleSetup {
  return {
    kind: 'idle',
    label,
    mix,
    connections: MANY,
    channels: 100,
    channelsOf: (connection) => [connection % 100],
    heartbeatSeconds: HEARTBEAT,
  };
}

function singles(connections: number): PublishSetup {
  return {
    kind: 'publish',
    label: 'single events',
    connections,
    credential: 'api key',
    batch: 1,
    steps: CLOSED_LOOP,
  };
}

function batches(batch: number, connections: number): PublishSetup {
  return { ...singles(connections), label: `batches of ${batch.toLocaleString('en')}`, batch };
}

function rates(...publicationsPerSecond: number[]): Step[] {
  return publicationsPerSecond.map((rate) => ({
    label: `${rate.toLocaleString('en')}/s`,
    rates: [rate],
  }));
}

/** Each hundred connections has every channel ten times, and no two hundreds the same tens. */
function tenOfHundred(connection: number): number[] {
  const stride = Math.floor(connection / 100) + 1;
  return Array.from({ length: 10 }, (_, index) => (connection + index * stride) % 100);
}
