export type { BrokerCluster } from './broker-cluster.ts';
export { describeBrokerContract } from './broker-contract.ts';
export {
  describeClusterStateContract,
  type StateCluster,
} from './cluster-state-contract.ts';
export {
  gapsIn,
  HEARING_PROJECTS,
  HEARING_STEPS,
  type HearingCommand,
  type HearingInit,
  type HearingSubject,
  runHearingContract,
} from './hearing-contract.ts';
export { describeOnOwnRedis, describeOnRedisServers } from './own-redis.ts';
export {
  type ConnectOptions,
  describeTransportContract,
  type TransportClient,
} from './transport-contract.ts';
