export {
  type Cluster,
  type Nodes,
  startCluster,
  startLeque,
  startNodes,
  TEST_API_KEY,
  TEST_JWT_SECRET,
} from './cluster.ts';
export { type CollectedSpan, type Collector, startCollector } from './collector.ts';
export type { BrokerCluster, BrokerNode } from './contracts/broker-cluster.ts';
export { describeBrokerContract } from './contracts/broker-contract.ts';
export {
  describeClusterStateContract,
  type StateCluster,
  type StateNode,
} from './contracts/cluster-state-contract.ts';
export { makeEvent } from './contracts/make-event.ts';
export { FakeClock } from './fake-clock.ts';
export { FakeConnection, type FakeMessage } from './fake-connection.ts';
export { freePorts, isPortFree } from './free-ports.ts';
export { type Env, type Exit, RunningProcess, ServerProcess } from './process.ts';
export { breakOff } from './proxy/break-off.ts';
export { type FaultProxy, startFaultProxy } from './proxy/fault-proxy.ts';
export type { Direction } from './proxy/proxied-connection.ts';
export { Random } from './random.ts';
export { type Received, RecordingSink } from './recording-sink.ts';
export { RecordingTelemetry } from './recording-telemetry.ts';
export { describeOnOwnRedis, describeOnRedisServers } from './redis/own-redis.ts';
export { startRedis, uniquePrefix } from './redis/start-redis.ts';
export { startRedisCluster, type TestRedisCluster } from './redis/start-redis-cluster.ts';
export { startSentinel, type TestSentinel } from './redis/start-sentinel.ts';
export type { RedisGroupOptions, RedisOptions, TestRedis } from './redis/test-redis.ts';
