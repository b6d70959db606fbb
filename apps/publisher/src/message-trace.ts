import { type Static, Type } from 'typebox';

const count = (description: string) => Type.Integer({ minimum: 0, description });

const Delivery = Type.Object({
  channel: Type.String({ description: '`firehose`: to clients of all projects' }),
  cursor: Type.String(),
  received_at: Type.String({ description: 'by the node' }),
  sessions: count('subscribed then'),
  written: count('sessions that it was written to'),
  filtered: count('had asked for others only'),
  slow: count('were closed as too slow instead, or before they had read it'),
  conflated: count('read slowly and got a newer one in its place'),
  dropped: count('read slowly, and there was no room for it'),
  closing: count('were being closed'),
  waiting: count('have not got it yet, or left before they did'),
  recovered: count('came later and got it from the history'),
});

const NodeTrace = Type.Object({
  node: Type.String(),
  deliveries: Type.Array(Delivery, { description: 'none where nobody was subscribed' }),
  sessions: count('on this node now'),
  not_selected: count('may see the channel and are not subscribed'),
  not_granted: count('have no grant for the channel'),
  connected_later: count('were not there yet'),
});
export type NodeTrace = Static<typeof NodeTrace>;

/** What became of a message, as the API answers. */
export const MessageTrace = Type.Object({
  message_id: Type.String(),
  published: Type.Optional(
    Type.Object({
      channel: Type.String(),
      type: Type.String(),
      cursor: Type.String(),
      at: Type.String(),
      by: Type.Optional(Type.String({ description: 'absent when published straight to Redis' })),
      publisher: Type.Optional(Type.String()),
    }),
  ),
  nodes: Type.Array(NodeTrace),
  silent: Type.Optional(count('processes that did not answer; absent in a Cluster')),
  explanation: Type.Array(Type.String(), { description: 'all of it in sentences' }),
});
export type MessageTrace = Static<typeof MessageTrace>;
