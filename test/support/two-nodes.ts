import { type Env, type Nodes, startNodes } from '@leque/testkit';
import { afterAll, beforeAll } from 'vitest';

/** Two nodes on one Redis. */
export interface TwoNodes {
  readonly cluster: Nodes;
  /** Clients connect to the first node. */
  readonly clientUrl: string;
  /** Events are published through the second node. */
  readonly publishUrl: string;
}

/** Starts two nodes for the tests of the enclosing group. The result has them while these tests run. */
export function useTwoNodes(env: Env = {}): TwoNodes {
  let cluster: Nodes | undefined;
  beforeAll(async () => {
    cluster = await startNodes(2, env);
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());
  const started = (): Nodes => {
    if (cluster === undefined) throw new Error('the nodes run while tests run only');
    return cluster;
  };
  return {
    get cluster() {
      return started();
    },
    get clientUrl() {
      return started().nodes[0]?.url ?? '';
    },
    get publishUrl() {
      return started().nodes[1]?.url ?? '';
    },
  };
}
