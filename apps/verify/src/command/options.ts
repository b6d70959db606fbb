import { ConfigError } from '@leque/service';
import type { Scenario } from '../run/scenario.ts';
import type { ExistingTargetOptions } from '../target/existing-target.ts';
import { REDIS_KINDS, type RedisKind } from '../target/system-redis.ts';

/** The options as they are given on the command line. */
export interface VerifyArguments {
  readonly json?: boolean;
  readonly only?: string;
  readonly seed?: string;
  readonly short?: true;
  /** Minutes. */
  readonly soak?: string;
  readonly redis?: string;
  readonly set?: readonly string[];
  readonly out?: string;
  readonly list?: true;
  readonly url?: string;
  readonly publishUrl?: string;
  readonly secret?: string;
  readonly apiKey?: string;
}

export interface VerifyOptions {
  readonly seed: number;
  readonly scenarios: readonly Scenario[];
  /** The Redis of the started system, unless a scenario needs another kind. */
  readonly redis: RedisKind;
  /** Additional variables of its gateways and publishers. */
  readonly settings: Readonly<Record<string, string>>;
  /** Undefined when verify starts the system. */
  readonly existing: ExistingTargetOptions | undefined;
}

const MAX_SEED = 2 ** 31;
/** Less than the lifetime of the clients' tokens. */
const MAX_SOAK_MINUTES = 600;

/** @throws ConfigError that lists every problem */
export function readOptions(given: VerifyArguments, scenarios: readonly Scenario[]): VerifyOptions {
  const problems: string[] = [];
  const seed = given.seed === undefined ? Math.floor(Math.random() * MAX_SEED) : Number(given.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed >= MAX_SEED) {
    problems.push(`--seed "${given.seed}" is not a number from 0 to ${MAX_SEED - 1}`);
  }
  if (given.only !== undefined && given.soak !== undefined) {
    problems.push('--soak is a scenario of its own, and --only chooses among the others');
  }
  const chosen = given.soak === undefined ? choose(scenarios, given.only, problems) : scenarios;
  const existing = readTarget(given, problems);
  const settings = readSettings(given, problems);
  const redis = REDIS_KINDS.find((kind) => kind === (given.redis ?? 'standalone'));
  if (redis === undefined) {
    problems.push(`--redis "${given.redis}" is none of ${REDIS_KINDS.join(', ')}`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { seed, scenarios: chosen, redis: redis ?? 'standalone', settings, existing };
}

/** The value of `--soak`. @throws ConfigError when it is not a number of minutes */
export function readMinutes(text: string): number {
  const minutes = Number(text);
  if (minutes > 0 && minutes <= MAX_SOAK_MINUTES) return minutes;
  throw new ConfigError([`--soak "${text}" is not a number of minutes up to ${MAX_SOAK_MINUTES}`]);
}

function choose(
  scenarios: readonly Scenario[],
  only: string | undefined,
  problems: string[],
): readonly Scenario[] {
  if (only === undefined) return scenarios;
  const wanted = listOf(only);
  const known = scenarios.map(({ name }) => name);
  for (const name of wanted) {
    if (!known.includes(name)) {
      problems.push(`--only: "${name}" is none of ${known.join(', ')}`);
    }
  }
  return scenarios.filter(({ name }) => wanted.includes(name));
}

function readSettings({ set = [], url }: VerifyArguments, problems: string[]) {
  if (set.length > 0 && url !== undefined) problems.push('--set is for a system of our own');
  return Object.fromEntries(
    set.map((entry) => {
      const [, name = '', value = ''] = /^([A-Z][A-Z0-9_]*)=(.*)$/s.exec(entry) ?? [];
      if (name === '') problems.push(`--set "${entry}" is not like NAME=VALUE`);
      return [name, value];
    }),
  );
}

function readTarget(given: VerifyArguments, problems: string[]): ExistingTargetOptions | undefined {
  const { url, publishUrl, secret, apiKey } = given;
  if (url === undefined) {
    const others = { 'publish-url': publishUrl, secret, 'api-key': apiKey };
    for (const [name, value] of Object.entries(others)) {
      if (value !== undefined) problems.push(`--${name} is for a system that runs: it needs --url`);
    }
    return undefined;
  }
  if (secret === undefined) problems.push('--url needs --secret, to sign tokens with');
  if (given.redis !== undefined) problems.push('--redis is for a system of our own, not for --url');
  const gateways = urlsOf('url', url, problems);
  const publishers =
    publishUrl === undefined ? gateways : urlsOf('publish-url', publishUrl, problems);
  return { gateways, publishers, secret: secret ?? '', apiKey };
}

function urlsOf(option: string, text: string, problems: string[]): string[] {
  return listOf(text).map((entry) => {
    // Clients connect through a proxy that cuts connections, which does not support TLS.
    if (!/^http:\/\/[^/]+\/?$/.test(entry)) {
      problems.push(`--${option} "${entry}" is not like http://HOST:PORT`);
    }
    return entry.replace(/\/$/, '');
  });
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
