import { type Env, startCluster, startLeque } from '@leque/testkit';
import { post } from '../clients/http.ts';

/** One server of a system, or a load balancer. */
export interface Server {
  readonly url: string;
  /** The end of what it wrote to stdout and stderr. */
  readonly output: string;
  /** Kills it, and starts it again at the same address. */
  restart(): Promise<void>;
}

/** Leque as a conformance suite sees it: nodes for clients and a publisher. */
export interface System extends AsyncDisposable {
  /** The node that clients are connected to; may be restarted. */
  readonly node: Server;
  /** Another node of a cluster; the same node in a single process. */
  readonly otherNode: Server;
  /** Takes events and answers statistics. */
  readonly publisher: Server;
}

export type StartSystem = (env?: Env) => Promise<System>;

/** Open mode like `leque dev`, for examples without a token. */
const OPEN: Env = { AUTH_MODE: 'open', LOG_LEVEL: 'warn' };

/** Starts everything in one process, on the memory broker. */
export const startEmbedded: StartSystem = async (env) => {
  const node = await startLeque(env);
  return {
    node,
    otherNode: node,
    publisher: node,
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
};

/** Starts two gateways and a publisher on Redis. */
export const startClustered: StartSystem = async (env) => {
  const cluster = await startCluster({ gateways: 2, env: { ...OPEN, ...env } });
  const [node, otherNode] = cluster.gateways;
  if (node === undefined || otherNode === undefined) throw new Error('a system has two nodes');
  return {
    node,
    otherNode,
    publisher: cluster.publisher,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
};

/** Publishes an event. @throws Error unless the answer is 200 */
export async function publish(system: System, event: object): Promise<Record<string, unknown>> {
  const { status, body } = await post(`${system.publisher.url}/api/publish`, event);
  if (status !== 200) throw new Error(`publish answered ${status}: ${JSON.stringify(body)}`);
  return body;
}
