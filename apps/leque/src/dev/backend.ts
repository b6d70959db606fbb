import {
  MemoryBroker,
  MemoryCluster,
  MemoryClusterState,
  MemoryControl,
  MemoryStore,
} from '@leque/broker-memory';
import { openRedis } from '@leque/broker-redis';
import { historyOptions, type Telemetry } from '@leque/core';
import { type GatewayBackend, redisAdapter } from '@leque/gateway';
import type { DevConfig } from './config.ts';

/** Opens Redis where `REDIS_URL` is set, and otherwise a broker inside this process. */
export function openBackend(config: DevConfig, telemetry: Telemetry): GatewayBackend {
  const { REDIS_URL, NODE_ID: nodeId } = config;
  if (REDIS_URL === undefined) return openMemory(config);
  const redis = openRedis(
    { ...config, REDIS_URL },
    { nodeId, telemetry, secret: config.JWT_SECRET },
  );
  return { ...redis, socketIoAdapter: redisAdapter(redis) };
}

function openMemory(config: DevConfig): GatewayBackend {
  const broker = new MemoryBroker(new MemoryStore(historyOptions(config)));
  const state = new MemoryClusterState(new MemoryCluster());
  return {
    broker,
    state,
    control: new MemoryControl(config.NODE_ID),
    socketIoAdapter: undefined,
    connect: async () => {},
    async close() {
      await state.close();
      await broker.close();
    },
  };
}
