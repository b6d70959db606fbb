import {
  type Control,
  controlKind,
  type DeliveryRecord,
  type Hub,
  type Session,
} from '@leque/core';
import { Bystanders, Delivery, FIREHOSE, toCursor, tryParseChannel } from '@leque/protocol';
import { Type } from 'typebox';

/** Requests the deliveries of the event with a message id from every node. */
export const DELIVERIES = controlKind('trace deliveries', Type.String(), Type.Array(Delivery));

/** Requests the sessions that were not subscribed to a channel when an event was published there. */
export const BYSTANDERS = controlKind(
  'trace bystanders',
  Type.Object({
    channel: Type.String(),
    at: Type.Number({ description: 'time of the publication in milliseconds since the epoch' }),
  }),
  Bystanders,
);

/** Lets operators request what this node knows about the delivery of an event. */
export function registerDeliveryReports(control: Control, hub: Hub): void {
  const { journal } = hub;
  control.handle(DELIVERIES, (messageId) => {
    const deliveries = (journal?.find(messageId) ?? []).map(deliveryOf);
    // A channel stays subscribed for a moment after its last client has left.
    const reached = deliveries.filter(({ sessions, recovered }) => sessions + recovered > 0);
    return reached.length === 0 ? undefined : reached;
  });
  control.handle(BYSTANDERS, ({ channel, at }) => countBystanders(hub.sessions, channel, at));
}

function deliveryOf({
  channel,
  position,
  receivedAt,
  live,
  recovered,
  unread,
}: DeliveryRecord): Delivery {
  const { sessions, written, filtered, slow, conflated, dropped, closing } = live;
  const decided = written + filtered + slow + conflated + dropped + closing;
  return {
    channel,
    cursor: position === undefined ? '' : toCursor(position),
    received_at: new Date(receivedAt).toISOString(),
    sessions,
    // A session that was closed before it had read the event has not got it, though it was written.
    written: Math.max(0, written - unread),
    filtered,
    slow: slow + Math.min(written, unread),
    conflated,
    dropped,
    closing,
    waiting: Math.max(0, sessions - decided),
    recovered: recovered?.written ?? 0,
  };
}

/** @param at time of the publication in milliseconds since the Unix epoch */
function countBystanders(sessions: Iterable<Session>, channel: string, at: number): Bystanders {
  const isRepeated = tryParseChannel(channel)?.kind === 'project';
  const counts = { sessions: 0, not_selected: 0, not_granted: 0, connected_later: 0 };
  for (const { identity, subscriptions, openedAt } of sessions) {
    counts.sessions += 1;
    if (openedAt > at) counts.connected_later += 1;
    else if (subscriptions.has(channel) || (isRepeated && subscriptions.has(FIREHOSE))) continue;
    else if (identity.grants.covers(channel)) counts.not_selected += 1;
    else counts.not_granted += 1;
  }
  return counts;
}
