import type { SentinelFacts, ServerFacts } from '@leque/broker-redis';

export interface Finding {
  /** `error`: Leque does not work, or loses what it must not. */
  readonly level: 'error' | 'warning';
  readonly what: string;
  /** The change that mends it. */
  readonly advice: string;
}

const OLDEST_MAJOR = 7; // Redis Functions
const PUBSUB_BYTES = 256 * 1024 * 1024;
const SETTINGS = 'see docs/redis.md and infra/redis/redis.conf';

/** Lists the settings of a Redis server that Leque needs otherwise; docs/redis.md has the reasons. */
export function adviseOn({ info, bufferLimits, refused }: Omit<ServerFacts, 'server'>): Finding[] {
  return [
    ...rights(refused),
    ...(info === undefined ? [] : settings(info)), // INFO is among the refused commands then
    ...buffers(bufferLimits),
  ];
}

/** Lists what is wrong with a sentinel. */
export function adviseOnSentinel({ problem, away }: Omit<SentinelFacts, 'sentinel'>): Finding[] {
  if (problem === undefined) return [];
  const advice = 'every sentinel in REDIS_URL must report a failover; see docs/redis.md';
  return [{ level: away ? 'warning' : 'error', what: problem, advice }];
}

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
    ...eviction(field('maxmemory'), field('maxmemory_policy')),
    ...persistence(field('aof_enabled')),
  ];
}

function version(text: string): Finding[] {
  if (Number.parseInt(text, 10) >= OLDEST_MAJOR) return [];
  const what = `its version is ${text || 'unknown'}, and Leque needs ${OLDEST_MAJOR}.0 or newer`;
  return [{ level: 'error', what, advice: 'upgrade it' }];
}

function role(text: string): Finding[] {
  if (text === 'master') return [];
  const what = `it is a ${text || 'server of unknown role'}, which takes no writes`;
  return [
    { level: 'error', what, advice: 'let REDIS_URL lead to the master, or to its sentinels' },
  ];
}

function eviction(limit: string, policy: string): Finding[] {
  if (policy === 'noeviction') return [];
  const level = limit === '0' ? 'warning' : 'error';
  const what = `its maxmemory-policy is ${policy || 'unknown'}: positions and leases may be evicted`;
  return [{ level, what, advice: `set maxmemory-policy noeviction; ${SETTINGS}` }];
}

function persistence(enabled: string): Finding[] {
  if (enabled === '1') return [];
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
