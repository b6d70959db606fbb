import type { Broker, ClusterState, Control } from '@leque/core';
import { RecordingSink, RecordingTelemetry } from '@leque/testkit/fakes';
import { Value } from 'typebox/value';
import { openRedis } from '../../src/open-redis.ts';
import { RedisSettings } from '../../src/settings.ts';

/** The Redis drivers of one process, and what they have reported. */
export interface RedisNode extends AsyncDisposable {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  readonly sink: RecordingSink;
  readonly telemetry: RecordingTelemetry;
  /** The newest announced count of each user. */
  readonly told: ReadonlyMap<string, number>;
  readonly tellings: () => number;
  /** Takes a lease. */
  join(): Promise<void>;
}

export interface RedisNodeOptions {
  readonly url: string;
  readonly prefix: string;
  readonly leaseMs?: number;
  readonly settings?: Partial<RedisSettings>;
  /** False for a process that only publishes. */
  readonly receives?: boolean;
}

let started = 0;

/** Starts the broker of a node, or only connects a process that publishes. */
export async function startNode(options: RedisNodeOptions): Promise<RedisNode> {
  const { url, prefix, leaseMs = 10_000, settings, receives = true } = options;
  const telemetry = new RecordingTelemetry();
  started += 1;
  const redis = openRedis(settingsFor(url, prefix, settings), {
    nodeId: `node-${started}`,
    telemetry,
    leaseMs,
  });
  const sink = new RecordingSink();
  const told = new Map<string, number>();
  let tellings = 0;
  await (receives ? redis.broker.start(sink) : redis.connect());
  return {
    broker: redis.broker,
    state: redis.state,
    control: redis.control,
    sink,
    telemetry,
    told,
    tellings: () => tellings,
    join: () =>
      redis.state.join({
        userConnectionsChanged(userId, connections) {
          told.set(userId, connections);
          tellings += 1;
        },
      }),
    async [Symbol.asyncDispose]() {
      await redis.close();
    },
  };
}

export function settingsFor(
  url: string,
  prefix: string,
  settings: Partial<RedisSettings> = {},
): RedisSettings {
  const given = { REDIS_URL: url, REDIS_KEY_PREFIX: prefix, ...settings };
  return Value.Default(RedisSettings, given) as RedisSettings;
}
