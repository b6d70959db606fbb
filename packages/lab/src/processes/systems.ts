import { type Env, startCluster, startLeque } from '@leque/testkit';
import { post } from '../clients/http.ts';

/** One server of a system, or what stands before several. */
export interface Server {
  readonly url: string;
  /** The end of what it wrote to stdout and stderr. */
  readonly output: string;
  /** Ends it as a power cut would, and starts it again at the same address. */
  restart(): Promise<void>;
}

/** Leque as a conformance suite sees it: where clients connect, and where others publish. */
export interface System extends AsyncDisposable {
  /** The node that clients are connected to; may be restarted. */
  readonly node: Server;
  /** Another node where there is one. */
  readonly otherNode: Server;
  /** Where events are published and statistics are asked for. */
  readonly publisher: Server;
}

export type StartSystem = (env?: Env) => Promise<System>;

/** As `leque dev` has it, for the documents' examples without a token. */
const OPEN: Env = { AUTH_MODE: 'open', LOG_LEVEL: 'warn' };

/** Everything in one process, on the memory broker. */
export const startEmbedded: StartSystem = async (env) => {
  const node = await startLeque(env);
  return {
    node,
    otherNode: node,
    publisher: node,
    [Symbol.asyncDispose]: () => node[Symbol.asyncDispose](),
  };
};

/** Two gateways and a publisher on Redis, as they are deployed. */
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

/** Publishes where no client is connected. */
export async function publish(system: System, event: object): Promise<Record<string, unknown>> {
  const { status, body } = await post(`${system.publisher.url}/api/publish`, event);
  if (status !== 200) throw new Error(`publish answered ${status}: ${JSON.stringify(body)}`);
  return body;
}
