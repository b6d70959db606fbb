import { type Delivery, type DeliveryReport, FIREHOSE, type NodeDeliveries } from '@leque/protocol';

/** A phrase for each outcome of the sessions that were to get the event, in the order of telling. */
const OUTCOMES = {
  written: (n: number) => `written to ${n}`,
  recovered: (n: number) => `recovered from the history by ${n} that came later`,
  filtered: (n: number) => `not to ${n} that had selected other events`,
  slow: (n: number) => `not to ${n} that read too slowly and ${was(n)} closed (4008)`,
  conflated: (n: number) => `not to ${n} that read slowly and got a newer event in its place`,
  dropped: (n: number) => `not to ${n} that read slowly and had no room for it`,
  closing: (n: number) => `not to ${n} that ${was(n)} being closed`,
  waiting: (n: number) => `not yet to ${n}, which may have left`,
} as const satisfies Partial<Record<keyof Delivery, (n: number) => string>>;

/**
 * Puts a report into sentences.
 * @param channel channel that the event was published to
 */
export function explain(
  { published, nodes, silent }: Omit<DeliveryReport, 'explanation'>,
  channel: string,
): string[] {
  const reached = nodes.filter(({ deliveries }) => deliveries.length > 0);
  return [
    describePublish(published, channel),
    ...(nodes.length === 0 ? ['No gateway answers.'] : []),
    ...(nodes.length > 0 && reached.length === 0
      ? [`No client on any of ${nodes.length} gateways was subscribed to ${channel}.`]
      : []),
    ...reached.flatMap(({ node, deliveries }) =>
      deliveries.map((delivery) => `${node} ${describeDelivery(delivery)}`),
    ),
    ...describeBystanders(nodes, channel),
    ...(silent ? [`${silent} processes did not answer and may know more.`] : []),
  ];
}

function describePublish(published: DeliveryReport['published'], channel: string): string {
  if (published === undefined) {
    return `Published to ${channel}; the publisher is unknown: it was published straight to Redis, or too long ago.`;
  }
  const { at, by, publisher, cursor } = published;
  const who = by === undefined ? 'straight to Redis' : `by ${by} through ${publisher}`;
  const kept = cursor === '' ? 'live only: nobody recovers it' : `and stored there as ${cursor}`;
  return `Published to ${channel} at ${at} ${who}, ${kept}.`;
}

function describeDelivery(delivery: Delivery): string {
  const outcomes = Object.entries(OUTCOMES).flatMap(([name, describe]) => {
    const count = delivery[name as keyof typeof OUTCOMES];
    return count > 0 ? [describe(count)] : [];
  });
  const route = delivery.channel === FIREHOSE ? ' for clients of all projects' : '';
  const { received_at: at, sessions } = delivery;
  const result = outcomes.length === 0 ? 'no outcome yet' : outcomes.join(', ');
  return `received it${route} at ${at}, ${sessions} subscribed: ${result}.`;
}

function describeBystanders(nodes: readonly NodeDeliveries[], channel: string): string[] {
  const sum = (name: 'not_selected' | 'not_granted' | 'connected_later') =>
    nodes.reduce((total, node) => total + node[name], 0);
  const [selected, granted, later] = [
    sum('not_selected'),
    sum('not_granted'),
    sum('connected_later'),
  ];
  // Sessions that connected later may have got it from the history; `recovered` counts these already.
  const recovered = nodes
    .flatMap(({ deliveries }) => deliveries)
    .reduce((total, delivery) => total + delivery.recovered, 0);
  return [
    ...(selected > 0
      ? [`${selected} more may see ${channel} and ${has(selected)} selected others.`]
      : []),
    ...(granted > 0 ? [`${granted} more ${has(granted)} no grant for ${channel}.`] : []),
    ...(later > recovered
      ? [`${later - recovered} more ${has(later - recovered)} connected since.`]
      : []),
  ];
}

const was = (n: number) => (n === 1 ? 'was' : 'were');
const has = (n: number) => (n === 1 ? 'has' : 'have');
