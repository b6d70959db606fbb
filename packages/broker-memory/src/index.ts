export { MemoryBroker } from './memory-broker.ts';
export { MemoryCluster } from './memory-cluster.ts';
export { MemoryClusterState } from './memory-cluster-state.ts';
export { MemoryControl } from './memory-control.ts';
export { MemoryStore } from './memory-store.ts';
