/** The protocols of clients: raw WebSocket (or the target's own), Socket.IO, or half of each. */
export type Mix = 'raw' | 'socketio' | 'half';

interface SetupBase {
  /** Unique within the workload. */
  readonly label: string;
  readonly mix: Mix;
  readonly connections: number;
  readonly channels: number;
  /** The channels of the connection with this number. */
  readonly channelsOf: (connection: number) => readonly number[];
  /** Seconds between heartbeats of the server; undefined for no heartbeat during a run. */
  readonly heartbeatSeconds?: number;
}

/** Publications at given rates to established connections. */
export interface FanOutSetup extends SetupBase {
  readonly kind: 'fan-out';
  /** Whether each channel belongs to one user. */
  readonly personal: boolean;
  /** Groups of channels that have their own rates and latencies. */
  readonly parts: readonly Part[];
  /** How many of the connections, counted from the last, do not read. */
  readonly stalled: number;
  readonly steps: readonly Step[];
  /** How deliveries are counted on connections that are not parsed fully; see `GeneratorSpec`. */
  readonly rest: 'bytes' | 'frames';
  /** How many more clients connect at once in the middle of each step; undefined for none. */
  readonly storm?: number;
  /** Clients that resume the last channel during each step; undefined for none. */
  readonly resumes?: ResumingClients;
}

/** Clients that resume a project from its beginning, again and again. */
export interface ResumingClients {
  readonly clients: number;
  /** Events of 20 KB that the project's history has. */
  readonly events: number;
}

export interface Part {
  /** Empty when there is only one part. */
  readonly label: string;
  readonly firstChannel: number;
  readonly lastChannel: number;
}

export interface Step {
  readonly label: string;
  /** Publications per second, one rate for each part. */
  readonly rates: readonly number[];
}

/** Connections that only answer heartbeats. */
export interface IdleSetup extends SetupBase {
  readonly kind: 'idle';
}

/** The event goes to many users, by a list in one event or by a batch of copies. */
export type ManyForm = 'list' | 'batch';

/** Events that are sent to the publish API. */
export interface PublishSetup {
  readonly kind: 'publish';
  readonly label: string;
  readonly connections: number;
  readonly credential: 'api key' | 'token';
  /** Events in one request; 1 sends a single event rather than an array of one. */
  readonly batch: number;
  /** Whether the events are live only. */
  readonly live?: true;
  /** How one event for many users is sent once a second, beside the others; undefined for none. */
  readonly beside?: ManyForm;
  /** Requests per second; 0 sends the next request on each connection after the last answer. */
  readonly steps: readonly { readonly label: string; readonly rate: number }[];
}

/** Raw clients that subscribe to one project after the other. */
export interface SubscribeSetup {
  readonly kind: 'subscribe';
  readonly label: string;
  readonly connections: number;
  /** Projects that each connection subscribes to, the same for all. */
  readonly projects: number;
  /**
   * The right to each project: the token, a grant that the server has not seen, or one that it has verified
   * before.
   */
  readonly right: 'token' | 'new grant' | 'known grant';
  readonly steps: readonly { readonly label: string }[];
}

export type Setup = FanOutSetup | IdleSetup | PublishSetup | SubscribeSetup;

const ONE_CHANNEL: readonly Part[] = [{ label: '', firstChannel: 0, lastChannel: 0 }];
const CLOSED_LOOP = [{ label: 'closed loop', rate: 0 }];
export const HEARTBEAT = 30;
export const MANY = 15_000;

/** Number of reading subscriptions in the channels of a part. */
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

/** Deliveries per second in a part at this publication rate. */
export function offeredDeliveries(setup: FanOutSetup, part: Part, rate: number): number {
  const channels = part.lastChannel - part.firstChannel + 1;
  return (rate * readersOf(setup, part)) / channels;
}

export function oneChannel(label: string, mix: Mix): FanOutSetup {
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

/** A channel gets 100 events a second, while clients resume another one with a long history. */
export function resuming(label: string, clients: number, events: number): FanOutSetup {
  return {
    ...oneChannel(label, 'raw'),
    channels: 2,
    steps: rates(100),
    ...(clients > 0 && { resumes: { clients, events } }),
  };
}

export function smoke(label: string, mix: Mix): FanOutSetup {
  return { ...oneChannel(label, mix), connections: 100, steps: rates(200) };
}

export function idle(label: string, mix: Mix): IdleSetup {
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

export function singles(connections: number): PublishSetup {
  return {
    kind: 'publish',
    label: 'single events',
    connections,
    credential: 'api key',
    batch: 1,
    steps: CLOSED_LOOP,
  };
}

export function subscribes(right: SubscribeSetup['right']): SubscribeSetup {
  const steps = [{ label: 'closed loop' }];
  return { kind: 'subscribe', label: right, connections: 50, projects: 400, right, steps };
}

export function batches(batch: number, connections: number): PublishSetup {
  return { ...singles(connections), label: `batches of ${batch.toLocaleString('en')}`, batch };
}

export function rates(...publicationsPerSecond: number[]): Step[] {
  return publicationsPerSecond.map((rate) => ({
    label: `${rate.toLocaleString('en')}/s`,
    rates: [rate],
  }));
}

/** Every hundred connections cover each channel ten times, each hundred in another combination. */
export function tenOfHundred(connection: number): number[] {
  const stride = Math.floor(connection / 100) + 1;
  return Array.from({ length: 10 }, (_, index) => (connection + index * stride) % 100);
}
