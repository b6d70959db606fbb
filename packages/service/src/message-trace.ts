import type { Control, DeliveryRecord, Hub, Session } from '@leque/core';
import { type Cursor, FIREHOSE, toCursor, tryParseChannel } from '@leque/protocol';

/** Of one publication in one channel of a node, in the words of the API. */
export interface DeliveryTrace {
  /** The one that it was published to, or `firehose`. */
  readonly channel: string;
  readonly cursor: Cursor;
  /** RFC 3339; when it came the first time, live or from the history. */
  readonly received_at: string;
  /** Sessions that were subscribed when it came live. */
  readonly sessions: number;
  readonly written: number;
  /** Had asked for others only, for example for another log level. */
  readonly filtered: number;
  /** Were closed as slow consumers instead of getting it, or before they had read it. */
  readonly slow: number;
  /** Got a newer one of the same key instead, as they read slowly. */
  readonly conflated: number;
  /** There was no room for it, as they read slowly. */
  readonly dropped: number;
  /** Were being closed. */
  readonly closing: number;
  /** Have not got it yet, or left before they did. */
  readonly waiting: number;
  /** Came later, and got it from the history. */
  readonly recovered: number;
}

/** Sessions of a node that did not get what came in a channel, because they are not subscribed. */
export interface Bystanders {
  /** Sessions of the node, with those that are subscribed. */
  readonly sessions: number;
  /** May see the channel, and have selected others. */
  readonly not_selected: number;
  /** Have no grant for it. */
  readonly not_granted: number;
  /** Of both and of those that are subscribed: were not there yet. */
  readonly connected_later: number;
}

/** What is asked over the control channel. */
export const TRACE_QUESTIONS = { deliveries: 'trace deliveries', bystanders: 'trace bystanders' };

/** Lets this node be asked what became of a publication. */
export function registerTraces(control: Control, hub: Hub): void {
  const { journal } = hub;
  control.answer(TRACE_QUESTIONS.deliveries, (messageId) => {
    const traces = (journal?.find(String(messageId)) ?? []).map(traceOf);
    // A channel stays for a moment after its last client has left.
    const reached = traces.filter(({ sessions, recovered }) => sessions + recovered > 0);
    return reached.length === 0 ? undefined : reached.map((trace) => ({ ...trace }));
  });
  control.answer(TRACE_QUESTIONS.bystanders, (asked) => {
    const { channel, at } = asked as { readonly channel: string; readonly at: number };
    return { ...countBystanders(hub.sessions, channel, at) };
  });
}

function traceOf({
  channel,
  position,
  receivedAt,
  live,
  recovered,
  unread,
}: DeliveryRecord): DeliveryTrace {
  const { sessions, written, filtered, slow, conflated, dropped, closing } = live;
  const told = written + filtered + slow + conflated + dropped + closing;
  return {
    channel,
    cursor: position === undefined ? '' : toCursor(position),
    received_at: new Date(receivedAt).toISOString(),
    sessions,
    // Whoever was closed before it had read it has not got it, though it was written.
    written: Math.max(0, written - unread),
    filtered,
    slow: slow + Math.min(written, unread),
    conflated,
    dropped,
    closing,
    waiting: Math.max(0, sessions - told),
    recovered: recovered?.written ?? 0,
  };
}

/** @param at when it was published, in milliseconds since the Unix epoch */
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
