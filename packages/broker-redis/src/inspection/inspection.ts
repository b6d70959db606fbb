import type { Socket } from 'node:net';
import { withDeadline } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import { Cluster, Redis } from 'ioredis';
import { openAdapterConnection } from '../connection/adapter-connection.ts';
import { sentinelClientOptions } from '../connection/client-options.ts';
import type { HostPort, RedisAddress, SentinelAddress } from '../connection/redis-address.ts';
import { CONNECT_TIMEOUT_MS } from '../connection/redis-connection.ts';
import { isReply, unavailable } from '../connection/redis-errors.ts';
import { serverVersion } from '../connection/redis-failures.ts';
import { SWITCH_MASTER } from '../connection/sentinel-watch.ts';
import { newerFunctionsOf } from '../functions/function-library.ts';
import { findNeighbours, type Neighbours } from './neighbours.ts';
import { describeCommands, neededCommands, type Rights } from './rights.ts';

const DEADLINE_MS = 5_000;

/** Facts about a server that takes writes. */
export interface ServerFacts {
  /** HOST:PORT */
  readonly server: string;
  /** For example `Valkey 9.1.2`; undefined where the server does not say. */
  readonly version: string | undefined;
  /** The answer to `INFO`; undefined where that is not allowed. */
  readonly info: string | undefined;
  /** True when different servers have answered two commands, as behind a proxy of a Cluster. */
  readonly isSpread: boolean;
  /** `client-output-buffer-limit`, as `CONFIG GET` has it; undefined where that is not allowed. */
  readonly bufferLimits: string | undefined;
  /** Commands that the process needs and its user may not run, each with the names it needs. */
  readonly refused: readonly string[];
  /** Who else uses the server; undefined where it does not say. */
  readonly neighbours: Neighbours | undefined;
  /** The release of Leque's functions there, when it is newer than that of this process. */
  readonly newerFunctions: number | undefined;
}

export interface SentinelFacts {
  /** HOST:PORT */
  readonly sentinel: string;
  /** The problem of the server; undefined when healthy. */
  readonly problem: string | undefined;
  /** Whether the sentinel does not answer at all, which may be temporary. */
  readonly away: boolean;
}

export interface Inspection {
  readonly servers: readonly ServerFacts[];
  readonly sentinels: readonly SentinelFacts[];
}

/**
 * Asks every server and sentinel. Leque's functions have to be loaded before.
 * @throws ProtocolError `unavailable` when a server does not answer, or refuses
 */
export async function inspectRedis(
  address: RedisAddress,
  rights: Omit<Rights, 'inCluster'>,
): Promise<Inspection> {
  const connection = openAdapterConnection(address);
  const { redis } = connection;
  const inCluster = redis instanceof Cluster;
  try {
    await orUnavailable(redis.ping());
    const masters = inCluster ? redis.nodes('master') : [redis];
    const [servers, sentinels] = await Promise.all([
      Promise.all(masters.map((master) => inspectServer(master, { ...rights, inCluster }))),
      address.kind === 'sentinel' ? inspectSentinels(address) : [],
    ]);
    return { servers, sentinels };
  } finally {
    connection.close();
  }
}

async function inspectServer(redis: Redis, rights: Rights): Promise<ServerFacts> {
  const [info, again, limits, refused, neighbours, newerFunctions] = await Promise.all([
    unlessRefused(redis.info()),
    unlessRefused(redis.info('server')),
    unlessRefused(redis.config('GET', 'client-output-buffer-limit')),
    refusedOf(redis, rights),
    unlessRefused(findNeighbours(redis, rights.prefix)),
    unlessRefused(newerFunctionsOf(redis)),
  ]);
  const [, bufferLimits] = (limits ?? []) as string[];
  const version = info === undefined ? undefined : serverVersion(info);
  const isSpread = runIdIn(info) !== runIdIn(again);
  const facts = { version, info, isSpread, bufferLimits, refused, neighbours, newerFunctions };
  return { server: nameOf(redis), ...facts };
}

function runIdIn(info: string | undefined): string | undefined {
  return /^run_id:(\w+)/m.exec(info ?? '')?.[1];
}

function nameOf({ options, stream }: Redis): string {
  if (!options.sentinels) return `${options.host}:${options.port}`;
  const { remoteAddress, remotePort } = stream as Socket; // the sentinels have named this server
  return `${remoteAddress}:${remotePort}`;
}

async function refusedOf(redis: Redis, rights: Rights): Promise<string[]> {
  const commands = neededCommands(rights);
  const samples = commands.map((command) => JSON.stringify(command));
  try {
    const numbers = await orUnavailable(redis.fcall('leque_rights', 0, ...samples));
    const refusedNumbers = new Set(numbers as number[]);
    const refused = commands.filter((_, index) => refusedNumbers.has(index + 1));
    return describeCommands(refused, rights.prefix);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return ['FCALL leque_rights'];
  }
}

/** Each sentinel must name the master, and allow a subscription to the news of another one. */
function inspectSentinels(address: SentinelAddress): Promise<SentinelFacts[]> {
  return Promise.all(
    address.hosts.map(async (host) => ({
      sentinel: `${host.host}:${host.port}`,
      ...(await problemOf(host, address)),
    })),
  );
}

async function problemOf(
  host: HostPort,
  address: SentinelAddress,
): Promise<Omit<SentinelFacts, 'sentinel'>> {
  const redis = new Redis({
    ...sentinelClientOptions(host, address),
    connectTimeout: CONNECT_TIMEOUT_MS,
    retryStrategy: () => null,
  });
  let why: Error | undefined; // connect() rejects without the reason
  redis.on('error', (error: Error) => {
    why = error;
  });
  try {
    await redis.connect();
    const { name } = address;
    const master = await inTime(redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name));
    if (master === null) return { problem: `it knows no master named ${name}`, away: false };
    await inTime(redis.subscribe(SWITCH_MASTER));
    return { problem: undefined, away: false };
  } catch (error) {
    const { message } = why ?? (error as Error);
    if (isReply(error) || isReply(why)) return { problem: message, away: false };
    return { problem: `it does not answer (${message})`, away: true };
  } finally {
    redis.disconnect();
  }
}

async function unlessRefused<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await orUnavailable(answer);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return undefined;
  }
}

/** @throws ProtocolError `unavailable` with the error of Redis as its cause */
async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await inTime(answer);
  } catch (error) {
    throw unavailable(error);
  }
}

function inTime<T>(answer: Promise<T>): Promise<T> {
  return withDeadline(answer, DEADLINE_MS, 'Redis');
}

/**
 * Whether Redis answered that it does not do this: the user lacks a right, or the service has taken
 * the command away.
 */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof ProtocolError && isReply(error.cause) && REFUSAL.test(error.cause.message)
  );
}

const REFUSAL = /^NOPERM |unknown (sub)?command|not (available|supported|allowed)|disabled/i;
