import { FIREHOSE } from '@leque/protocol';
import type { DeliveryTrace } from '@leque/service';
import type { MessageTrace, NodeTrace } from './message-trace.ts';

/** What became of the sessions that were to get it, in the order in which it is told. */
const OUTCOMES = {
  written: (n: number) => `written to ${n}`,
  recovered: (n: number) => `brought from the history to ${n} that came later`,
  filtered: (n: number) => `not to ${n} that had asked for others only`,
  slow: (n: number) => `not to ${n} that read too slowly and ${was(n)} closed (4008)`,
  conflated: (n: number) => `not to ${n} that read slowly and got a newer one in its place`,
  dropped: (n: number) => `not to ${n} that read slowly, as there was no room for it`,
  closing: (n: number) => `not to ${n} that ${was(n)} being closed`,
  waiting: (n: number) => `waiting for ${n}, or gone with ${n === 1 ? 'it' : 'them'}`,
} as const satisfies Partial<Record<keyof DeliveryTrace, (n: number) => string>>;

/** A trace in sentences. @param channel where it was published to */
export function explain(
  { published, nodes, silent }: Omit<MessageTrace, 'explanation'>,
  channel: string,
): string[] {
  const reached = nodes.filter(({ deliveries }) => deliveries.length > 0);
  return [
    publishing(published, channel),
    ...(nodes.length === 0 ? ['No gateway answers.'] : []),
    ...(nodes.length > 0 && reached.length === 0
      ? [`No client on any of ${nodes.length} gateways was subscribed to ${channel}.`]
      : []),
    ...reached.flatMap(({ node, deliveries }) =>
      deliveries.map((delivery) => `${node} ${delivering(delivery)}`),
    ),
    ...bystanding(nodes, channel),
    ...(silent ? [`${silent} of the processes did not answer, and may know more.`] : []),
  ];
}

function publishing(published: MessageTrace['published'], channel: string): string {
  if (published === undefined) {
    return `Published to ${channel}; by whom is not known: straight to Redis, or too long ago.`;
  }
  const { at, by, publisher, cursor } = published;
  const who = by === undefined ? 'straight to Redis' : `by ${by} through ${publisher}`;
  return `Published to ${channel} at ${at} ${who}, and stored there as ${cursor}.`;
}

function delivering(delivery: DeliveryTrace): string {
  const outcomes = Object.entries(OUTCOMES).flatMap(([name, tell]) => {
    const count = delivery[name as keyof typeof OUTCOMES];
    return count > 0 ? [tell(count)] : [];
  });
  const fed = delivery.channel === FIREHOSE ? ' for clients of all projects' : '';
  const { received_at: at, sessions } = delivery;
  const what = outcomes.length === 0 ? 'nothing came of it' : outcomes.join(', ');
  return `had it${fed} at ${at}, ${sessions} subscribed: ${what}.`;
}

function bystanding(nodes: readonly NodeTrace[], channel: string): string[] {
  const sum = (name: 'not_selected' | 'not_granted' | 'connected_later') =>
    nodes.reduce((total, node) => total + node[name], 0);
  const [selected, granted, later] = [
    sum('not_selected'),
    sum('not_granted'),
    sum('connected_later'),
  ];
  return [
    ...(selected > 0
      ? [`${selected} more may see ${channel} and ${has(selected)} selected others.`]
      : []),
    ...(granted > 0 ? [`${granted} more ${has(granted)} no grant for ${channel}.`] : []),
    ...(later > 0 ? [`${later} ${has(later)} connected since.`] : []),
  ];
}

const was = (n: number) => (n === 1 ? 'was' : 'were');
const has = (n: number) => (n === 1 ? 'has' : 'have');
