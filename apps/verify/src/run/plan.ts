import { CLIENT_KINDS, type ClientKind, type ClientSpec } from '../clients/client-spec.ts';
import type { ChannelLoad } from '../publishing/publisher-spec.ts';
import type { Target } from '../target/target.ts';

/** The sizes of a scenario. */
export interface Sizes {
  /** Numbers of clients by kind. */
  readonly notifications: number;
  readonly project: number;
  readonly room: number;
  readonly socketio: number;
  readonly polling: number;
  readonly recovering: number;
  readonly projects: number;
  readonly users: number;
  /** Events per second in each project. */
  readonly projectRate: number;
  readonly userRate: number;
  readonly payloadBytes: number;
  /**
   * Size of the events in one additional project and for one additional user, which the first two
   * clients of a kind have; 0 for none.
   */
  readonly heavyBytes: number;
  /**
   * Size of the events in a project whose clients leave for a while, and miss more than fits into their
   * outbox at once; 0 for none.
   */
  readonly longBytes: number;
  /** Most clients in one process. */
  readonly clientsPerProcess: number;
}

export const STANDARD_SIZES: Sizes = {
  notifications: 40,
  project: 10,
  room: 10,
  socketio: 20,
  polling: 10,
  recovering: 10,
  projects: 3,
  users: 5,
  // Slow enough that the history still reaches back a minute.
  projectRate: 15,
  userRate: 3,
  payloadBytes: 100,
  heavyBytes: 0,
  longBytes: 25_000,
  clientsPerProcess: 1000,
};

/** Kinds of which the last clients leave: one of each protocol, with and without `auth.cursors`. */
const LONG_KINDS: readonly ClientKind[] = ['project', 'socketio', 'recovering'];
/** The history reaches back more than a minute, as in the other projects. */
const LONG_RATE = 12;
const HEAVY_CLIENTS = 2;
const HEAVY_RATE = 30;

/** The channels with their rates, and the clients with their channels. */
export interface Plan {
  readonly run: string;
  readonly channels: readonly ChannelLoad[];
  readonly clients: readonly ClientSpec[];
  /** Ids of the clients that leave for a while, and miss much. */
  readonly leaving: readonly string[];
}

/**
 * Each client may see one or two of the projects, and clients of users their own channel and, on a
 * system that verify has started, `all`. None of them may receive any other channel.
 */
export async function makePlan(run: string, sizes: Sizes, target: Target): Promise<Plan> {
  const projects = numbered(sizes.projects, `verify-${run}-`);
  const users = numbered(sizes.users, `verify-${run}-user-`);
  const everybody = target.system === undefined ? [] : ['all'];
  const channels = [
    ...projects.map((id) => channelLoad(`project:${id}`, sizes.projectRate, sizes)),
    ...users.map((id) => channelLoad(`user:${id}`, sizes.userRate, sizes)),
    ...everybody.map((channel) => channelLoad(channel, sizes.userRate, sizes)),
    ...heavyChannels(run, sizes),
    ...longChannels(run, sizes),
  ];
  const people = { run, projects, users, everybody, sizes };
  const clients = CLIENT_KINDS.flatMap((kind) =>
    Array.from({ length: sizes[kind] }, async (_, index): Promise<ClientSpec> => {
      const { user, wanted, channels } = sightOf(kind, index, people);
      const spec = { id: `${kind}-${index}`, kind, channels, projects: wanted };
      if (kind !== 'room') return { ...spec, token: await target.token(user, wanted) };
      const grants = { secret: target.secret, userId: user, renewed: index % 2 === 0 };
      return { ...spec, token: await target.token(user, []), grants };
    }),
  );
  const leaving = LONG_KINDS.map((kind) => longClient(kind, sizes)).filter(
    (id) => id !== undefined,
  );
  return { run, channels, clients: await Promise.all(clients), leaving };
}

interface People {
  readonly run: string;
  readonly projects: readonly string[];
  readonly users: readonly string[];
  /** `all`, if it is used. */
  readonly everybody: readonly string[];
  readonly sizes: Sizes;
}

/** A client's user and channels. */
function sightOf(kind: ClientKind, index: number, people: People) {
  const { projects, everybody } = people;
  const user = heavyOf(kind === 'socketio', index, people) ?? at(people.users, index);
  const isLong = LONG_KINDS.includes(kind) && index === longIndex(people.sizes[kind], people.sizes);
  const own = isLong ? longId(people.run) : heavyOf(kind === 'project', index, people);
  const one = own ?? at(projects, index);
  const wanted = kind === 'notifications' ? [...new Set([one, at(projects, index + 1)])] : [one];
  const channels = [
    ...wanted.map((id) => `project:${id}`),
    ...(kind === 'project' ? [] : [`user:${user}`, ...everybody]),
  ];
  return { user, wanted, channels };
}

function heavyOf(has: boolean, index: number, { run, sizes }: People): string | undefined {
  return has && sizes.heavyBytes > 0 && index < HEAVY_CLIENTS ? heavyId(run) : undefined;
}

/** The last client of a kind, unless it is the only one. */
function longIndex(count: number, { longBytes }: Sizes): number | undefined {
  return longBytes > 0 && count > HEAVY_CLIENTS ? count - 1 : undefined;
}

function longClient(kind: ClientKind, sizes: Sizes): string | undefined {
  const index = longIndex(sizes[kind], sizes);
  return index === undefined ? undefined : `${kind}-${index}`;
}

function longChannels(run: string, { longBytes }: Sizes): ChannelLoad[] {
  if (longBytes === 0) return [];
  return [{ channel: `project:${longId(run)}`, perSecond: LONG_RATE, payloadBytes: longBytes }];
}

function longId(run: string): string {
  return `verify-${run}-long`;
}

function channelLoad(channel: string, perSecond: number, { payloadBytes }: Sizes): ChannelLoad {
  return { channel, perSecond, payloadBytes };
}

function heavyChannels(run: string, { heavyBytes }: Sizes): ChannelLoad[] {
  if (heavyBytes === 0) return [];
  return ['project', 'user'].map((kind) => ({
    channel: `${kind}:${heavyId(run)}`,
    perSecond: HEAVY_RATE,
    payloadBytes: heavyBytes,
  }));
}

function heavyId(run: string): string {
  return `verify-${run}-heavy`;
}

function numbered(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index % items.length];
  if (item === undefined) throw new RangeError('a plan needs at least one of each');
  return item;
}
