import {
  MemoryBroker,
  MemoryCluster,
  MemoryClusterState,
  MemoryControl,
  MemoryStore,
} from '@leque/broker-memory';
import { openRedis } from '@leque/broker-redis';
import {
  type Broker,
  type BrokerReadings,
  type ClusterState,
  type Control,
  historyLimits,
  type Telemetry,
} from '@leque/core';
import { type GatewayParts, redisAdapter } from '@leque/gateway';
import type { DevConfig } from './config.ts';

export interface Backend {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly control: Control;
  /** None inside this process. */
  readonly readings?: BrokerReadings;
  readonly socketIoAdapter: GatewayParts['socketIoAdapter'];
  /** Closes the connections; broker and state are closed before. */
  close(): Promise<void>;
}

/** Redis where `REDIS_URL` names one, and otherwise the same inside this process. */
export function openBackend(config: DevConfig, telemetry: Telemetry): Backend {
  const { REDIS_URL, NODE_ID: nodeId } = config;
  if (REDIS_URL === undefined) return openMemory(config);
  const redis = openRedis({ ...config, REDIS_URL }, { nodeId, telemetry });
  return {
    broker: redis.broker,
    state: redis.state,
    control: redis.control,
    readings: redis.readings,
    socketIoAdapter: redisAdapter(redis),
    close: () => redis.close(),
  };
}

function openMemory(config: DevConfig): Backend {
  return {
    broker: new MemoryBroker(new MemoryStore(historyLimits(config))),
    state: new MemoryClusterState(new MemoryCluster()),
    control: new MemoryControl(config.NODE_ID),
    socketIoAdapter: undefined,
    close: async () => {},
  };
}
