import { type Static, Type } from 'typebox';
import { count } from './count.ts';

/** The state of one process. Counts are since its start unless they say otherwise. */
export const NodeStatus = Type.Object({
  app: Type.Enum(['gateway', 'publisher']),
  version: Type.String(),
  uptime_s: count('seconds since the process started'),
  unready: Type.Array(Type.String(), {
    description: 'reasons why it should get no traffic; empty when it should',
  }),
  rss_bytes: count('resident memory'),
  cpu_ms: count('CPU time of all threads'),
  connections: Type.Optional(count('gateway: open connections now')),
  channels: Type.Optional(count('gateway: channels with at least one session now')),
  messages_sent: Type.Optional(count('gateway: messages queued for clients')),
  stored: Type.Optional(count('publisher: events stored')),
});
export type NodeStatus = Static<typeof NodeStatus>;

/** The answer of `GET /api/nodes`. */
export const NodesAnswer = Type.Object({
  nodes: Type.Array(Type.Object({ node: Type.String(), ...NodeStatus.properties })),
  silent: Type.Optional(
    count('processes that did not answer; absent in a Redis Cluster, which cannot count them'),
  ),
});
export type NodesAnswer = Static<typeof NodesAnswer>;
