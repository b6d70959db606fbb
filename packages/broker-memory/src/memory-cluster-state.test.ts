import { describeClusterStateContract, type StateCluster } from '@leque/testkit/contracts';
import { describe } from 'vitest';
import { MemoryCluster } from './memory-cluster.ts';
import { MemoryClusterState } from './memory-cluster-state.ts';

async function startCluster(): Promise<StateCluster> {
  const cluster = new MemoryCluster();
  const states: MemoryClusterState[] = [];
  return {
    async node() {
      const state = new MemoryClusterState(cluster);
      states.push(state);
      const told = new Map<string, number>();
      let tellings = 0;
      await state.join({
        userConnectionsChanged(userId, connections) {
          told.set(userId, connections);
          tellings += 1;
        },
      });
      return { state, told, tellings: () => tellings };
    },
    reader: async () => new MemoryClusterState(cluster),
    async [Symbol.asyncDispose]() {
      for (const state of states) await state.close();
    },
  };
}

describe('MemoryClusterState', () => describeClusterStateContract(startCluster));
