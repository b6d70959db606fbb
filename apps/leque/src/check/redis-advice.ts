import type { Neighbours, SentinelFacts, ServerFacts } from '@leque/broker-redis';

export interface Finding {
  /** `error`: Leque does not work, or loses what it must not. `note`: nothing has to be changed. */
  readonly level: 'error' | 'warning' | 'note';
  readonly what: string;
  /** The change that mends it. */
  readonly advice: string;
}

const OLDEST_MAJOR = 7; // Redis Functions
const PUBSUB_BYTES = 256 * 1024 * 1024;
const SETTINGS = 'see docs/redis.md and infra/redis/redis.conf';

/** Lists the settings of a Redis server that Leque needs otherwise; docs/redis.md has the reasons. */
export function adviseOn(facts: Omit<ServerFacts, 'server' | 'version'>): Finding[] {
  const { info, isSpread, bufferLimits, refused, neighbours, newerFunctions } = facts;
  return [
    ...rights(refused),
    ...(info === undefined ? [] : settings(info)), // INFO is among the refused commands then
    ...(isSpread ? SPREAD : []),
    ...buffers(bufferLimits),
    ...(neighbours === undefined ? [] : adviseOnNeighbours(neighbours)),
    ...functions(newerFunctions),
  ];
}

/** Lists what is wrong with a sentinel. */
export function adviseOnSentinel({ problem, away }: Omit<SentinelFacts, 'sentinel'>): Finding[] {
  if (problem === undefined) return [];
  const advice = 'every sentinel in REDIS_URL must report a failover; see docs/redis.md';
  return [{ level: away ? 'warning' : 'error', what: problem, advice }];
}

const SPREAD: readonly Finding[] = [
  {
    level: 'error',
    what: 'its run_id changes between two commands, and every change counts as a restart',
    advice: 'use redis+cluster:// where a proxy spreads commands over several servers',
  },
];

function rights(refused: readonly string[]): Finding[] {
  if (refused.length === 0) return [];
  const what = `its user may not run: ${refused.join(', ')}`;
  return [{ level: 'error', what, advice: 'allow that; see "Users" in docs/redis.md' }];
}

function settings(info: string): Finding[] {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  return [
    ...version(field('redis_version')),
    ...role(field('role')),
    ...restarts(field('run_id')),
    ...eviction(field('maxmemory'), field('maxmemory_policy')),
    ...persistence(field('aof_enabled')),
    ...databases(info),
  ];
}

/** A service may hide its version: the functions are loaded, so it is new enough. */
function version(text: string): Finding[] {
  if (text === '' || Number.parseInt(text, 10) >= OLDEST_MAJOR) return [];
  const what = `its version is ${text}, and Leque needs ${OLDEST_MAJOR}.0 or newer`;
  return [{ level: 'error', what, advice: 'upgrade it' }];
}

function role(text: string): Finding[] {
  if (text === 'master' || text === '') return [];
  const what = `it is a ${text}, which takes no writes`;
  return [
    { level: 'error', what, advice: 'let REDIS_URL lead to the master, or to its sentinels' },
  ];
}

function restarts(runId: string): Finding[] {
  if (runId !== '') return [];
  const what = 'it does not show its run_id, so that a restart which loses events stays unnoticed';
  return [{ level: 'error', what, advice: 'use a service whose INFO server has run_id' }];
}

function eviction(limit: string, policy: string): Finding[] {
  if (policy === 'noeviction') return [];
  const level = limit === '0' || policy === '' ? 'warning' : 'error';
  const known = policy === '' ? 'not shown' : policy;
  const what = `its maxmemory-policy is ${known}: positions and leases may be evicted`;
  return [{ level, what, advice: `set maxmemory-policy noeviction; ${SETTINGS}` }];
}

function persistence(enabled: string): Finding[] {
  if (enabled === '1' || enabled === '') return [];
  const what =
    'it has no append-only file: a restart loses every history, and clients get a resync';
  return [{ level: 'warning', what, advice: `set appendonly yes; ${SETTINGS}` }];
}

function buffers(limits: string | undefined): Finding[] {
  const advice = `set client-output-buffer-limit pubsub 256mb 64mb 60; ${SETTINGS}`;
  if (limits === undefined) {
    const what = 'CONFIG is not allowed, so its client-output-buffer-limit is not known';
    return [{ level: 'warning', what, advice }];
  }
  const hard = Number(/pubsub (\d+)/.exec(limits)?.[1] ?? 0);
  if (hard === 0 || hard >= PUBSUB_BYTES) return [];
  const what = `it cuts off gateways that have ${Math.round(hard / 1048576)} MB to read`;
  return [{ level: 'warning', what, advice }];
}

/** Messages reach the subscribers of all databases, so that only prefixes keep programs apart. */
function databases(info: string): Finding[] {
  const others = [...info.matchAll(/^db(\d+):keys=/gm)].flatMap(([, db]) =>
    db === '0' ? [] : [db],
  );
  if (others.length === 0) return [];
  const what = `its database ${others.join(', ')} has keys, and Redis's messages reach all databases`;
  return [{ level: 'note', what, advice: 'programs there need other names of channels' }];
}

function adviseOnNeighbours({ prefixes, adapters, nodes }: Neighbours): Finding[] {
  return [...installations(prefixes), ...(nodes === undefined ? [] : own(nodes, adapters))];
}

function installations(prefixes: readonly string[]): Finding[] {
  if (prefixes.length === 0) return [];
  const what = `other installations of Leque use it, with the prefixes ${listOf(prefixes)}`;
  const advice =
    'give all the same HISTORY_*, IDEMPOTENCY_TTL, FIREHOSE, MAX_EVENT_SIZE and EVENT_SCHEMAS, for they share the functions';
  return [{ level: 'note', what, advice }];
}

function own(nodes: readonly string[], adapters: number): Finding[] {
  return [...gateways(nodes), ...adaptersBeyond(nodes.length, adapters)];
}

function gateways(nodes: readonly string[]): Finding[] {
  if (nodes.length === 0) return [];
  const what = `gateways run under this prefix: ${listOf(nodes)}`;
  const advice = 'if one of them is of another installation, give that another REDIS_KEY_PREFIX';
  return [{ level: 'note', what, advice }];
}

/** Every gateway listens with one connection. */
function adaptersBeyond(gateways: number, adapters: number): Finding[] {
  if (adapters <= gateways) return [];
  const what =
    `${adapters} connections listen to the calls of Socket.IO's adapter, and ${gateways} of them are ` +
    "gateways': calls of the others reach the clients of Leque";
  return [
    { level: 'warning', what, advice: 'give the adapter of the other application another key' },
  ];
}

function functions(newer: number | undefined): Finding[] {
  if (newer === undefined) return [];
  const what = `a newer release of Leque has loaded its functions (${newer})`;
  return [{ level: 'note', what, advice: 'upgrade this process, or give it a Redis of its own' }];
}

const MAX_NAMES = 8;

function listOf(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return names.slice(0, MAX_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
