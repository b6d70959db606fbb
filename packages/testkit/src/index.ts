export { freePorts, isPortFree } from './lib/free-ports.ts';
export { Random } from './lib/random.ts';
export {
  type Cluster,
  type Nodes,
  startCluster,
  startLeque,
  startNodes,
  TEST_API_KEY,
  TEST_JWT_SECRET,
} from './processes/cluster.ts';
export { type CollectedSpan, type Collector, startCollector } from './processes/collector.ts';
export { type Env, RunningProcess, ServerProcess } from './processes/process.ts';
export { type Exit, SupervisedProcess } from './processes/supervised-process.ts';
export { breakOff } from './proxy/break-off.ts';
export { type FaultProxy, startFaultProxy } from './proxy/fault-proxy.ts';
export type { Direction } from './proxy/proxied-connection.ts';
export { ask } from './redis/ask.ts';
export { lossyNetworkMissing } from './redis/lossy-network.ts';
export { type LossyRedis, startLossyRedis } from './redis/redis-server.ts';
export { OLD_REDIS, SERVER_PROGRAMS, type ServerProgram } from './redis/server-programs.ts';
export { hasRedisServer, startRedis, uniquePrefix } from './redis/start-redis.ts';
export { startRedisCluster, type TestRedisCluster } from './redis/start-redis-cluster.ts';
export { startSentinel, type TestSentinel } from './redis/start-sentinel.ts';
export { hasOpenssl, startTlsRedis, type TlsRedis } from './redis/start-tls-redis.ts';
export type { RedisGroupOptions, RedisOptions, TestRedis } from './redis/test-redis.ts';
export { type AnswerHead, answerHead, ByteClient } from './wire/byte-client.ts';
export { bomb, clientFrame, deflated, type FrameOptions } from './wire/client-frame.ts';
export type { ServerFrame } from './wire/server-frames.ts';
export { type RequestOptions, requestText, SAMPLE_ACCEPT } from './wire/upgrade-request.ts';
