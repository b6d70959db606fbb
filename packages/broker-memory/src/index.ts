export { MemoryBroker } from './memory-broker.ts';
export { MemoryClusterState } from './memory-cluster-state.ts';
export { MemoryRegistry } from './memory-registry.ts';
export { MemoryStore } from './memory-store.ts';
