import { type Static, Type } from 'typebox';
import { count } from './count.ts';

/** One publication in one channel of one node. `sessions` is the sum of the outcomes but `recovered`. */
export const Delivery = Type.Object({
  channel: Type.String({
    description: 'channel of the event, or `firehose` for clients of all projects',
  }),
  cursor: Type.String({ description: 'position in the channel; empty where no history is kept' }),
  received_at: Type.String({ description: 'time at which the node received it first (RFC 3339)' }),
  sessions: count('sessions that were subscribed when the publication arrived'),
  written: count('sessions to which it was written'),
  filtered: count('sessions that had selected other events, for example another log level'),
  slow: count('sessions that were closed as slow consumers before they had read it'),
  conflated: count('slow sessions that got a newer publication of the same key instead'),
  dropped: count('slow sessions whose outbox had no room for it'),
  closing: count('sessions that were being closed'),
  waiting: count('sessions that have not got it yet, or ended before they did'),
  recovered: count('sessions that came later and got it from the history'),
});
export type Delivery = Static<typeof Delivery>;

/** Sessions of a node that did not get an event of a channel because they are not subscribed to it. */
export const Bystanders = Type.Object({
  sessions: count('all sessions of the node now, subscribed or not'),
  not_selected: count('sessions that may see the channel and are not subscribed'),
  not_granted: count('sessions without a grant for the channel'),
  connected_later: count('sessions that were opened after the publication'),
});
export type Bystanders = Static<typeof Bystanders>;

/** The publication of an event as its publisher remembers it. */
export const PublishRecord = Type.Object({
  channel: Type.String(),
  type: Type.String(),
  cursor: Type.String({ description: 'position in the channel; empty for a live-only event' }),
  at: Type.String({ description: 'time at which the publisher began to store it (RFC 3339)' }),
  by: Type.String({ description: 'caller that published it, in words' }),
});
export type PublishRecord = Static<typeof PublishRecord>;

const { by: _, ...stored } = PublishRecord.properties;

/** The fate of an event: the answer of `GET /api/messages/{message_id}/trace`. */
export const DeliveryReport = Type.Object({
  message_id: Type.String(),
  published: Type.Optional(
    Type.Object({
      ...stored,
      by: Type.Optional(
        Type.String({
          description: 'caller that published it; absent for an event straight to Redis',
        }),
      ),
      publisher: Type.Optional(Type.String({ description: 'NODE_ID of the publisher' })),
    }),
  ),
  nodes: Type.Array(
    Type.Object({
      node: Type.String(),
      deliveries: Type.Array(Delivery, { description: 'empty where nobody was subscribed' }),
      ...Bystanders.properties,
    }),
  ),
  silent: Type.Optional(
    count('processes that did not answer; absent in a Redis Cluster, which cannot count them'),
  ),
  explanation: Type.Array(Type.String(), { description: 'the report in sentences' }),
});
export type DeliveryReport = Static<typeof DeliveryReport>;
export type NodeDeliveries = DeliveryReport['nodes'][number];
