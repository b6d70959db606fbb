import { ask, askIfThere } from './ask.ts';
import type { TestRedis } from './test-redis.ts';

/** Consecutive slots, with the ports of the nodes that serve them. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: number;
  readonly replicas: readonly number[];
}

type Address = [host: string, port: number, id: string];
type Reply = readonly [first: number, last: number, master: Address, ...replicas: Address[]][];

/** The slots' nodes; undefined while the answering nodes disagree. */
export async function agreedSlots(nodes: readonly TestRedis[]): Promise<SlotRange[] | undefined> {
  const answers = await Promise.all(nodes.map(({ port }) => slotsSeenBy(port)));
  const [first, ...others] = answers.filter((answer) => answer !== undefined);
  const masters = (ranges: SlotRange[] | undefined) =>
    JSON.stringify(ranges?.map(({ first: from, last, master }) => [from, last, master]));
  return others.every((other) => masters(other) === masters(first)) ? first : undefined;
}

/** True once every node runs, and every master has a replica in sync; undefined before. */
export async function isWhole(nodes: readonly TestRedis[]): Promise<true | undefined> {
  const seen = await Promise.all(nodes.map(({ port }) => slotsSeenBy(port)));
  const links = await Promise.all(nodes.map(({ port }) => isLinked(port)));
  const isComplete = (ranges: SlotRange[] | undefined) =>
    ranges?.length !== 0 && ranges?.every(({ replicas }) => replicas.length > 0);
  return (seen.every(isComplete) && links.every((linked) => linked)) || undefined;
}

export async function slotOf(nodes: readonly TestRedis[], key: string): Promise<number> {
  const answers = await Promise.all(
    nodes.map(({ port }) => askIfThere(port, 'CLUSTER', 'KEYSLOT', key)),
  );
  return Number(answers.find((answer) => answer !== undefined));
}

/** Undefined also when the node reports that the cluster is down. */
async function slotsSeenBy(port: number): Promise<SlotRange[] | undefined> {
  const info = String(await askIfThere(port, 'CLUSTER', 'INFO'));
  if (!info.includes('cluster_state:ok')) return undefined;
  const reply = (await askIfThere(port, 'CLUSTER', 'SLOTS')) as Reply | undefined;
  return reply
    ?.map(([first, last, [, master], ...replicas]) => ({
      first,
      last,
      master,
      replicas: replicas.map(([, replica]) => replica),
    }))
    .toSorted((a, b) => a.first - b.first);
}

/** Whether a replica follows its master, or a master is followed. */
async function isLinked(port: number): Promise<boolean> {
  const info = String(await ask(port, 'INFO', 'replication'));
  return /^(master_link_status:up|slave0:.*state=online)/m.test(info);
}
