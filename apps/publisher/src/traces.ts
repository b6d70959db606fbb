import {
  type Broker,
  type Control,
  type ControlAnswer,
  type Json,
  MAX_HISTORY_BYTES,
} from '@leque/core';
import { FIREHOSE, toCursor } from '@leque/protocol';
import { type Bystanders, type DeliveryTrace, TRACE_QUESTIONS } from '@leque/service';
import type { Deadline } from './deadline.ts';
import { explain } from './explain.ts';
import type { MessageTrace } from './message-trace.ts';
import { PUBLISHED_QUESTION, type PublishedTrace } from './publish-journal.ts';
import { stateUnavailable } from './publishing.ts';

/** How much of a history is searched for a message of which nobody remembers that it was published. */
const SEARCHED = { publications: 1_000, bytes: MAX_HISTORY_BYTES };

export interface TracesParts {
  readonly control: Control;
  readonly broker: Broker;
  /** Whether this process remembers anything. */
  readonly remembers: boolean;
}

/** Asks all processes what became of a message. */
export class Traces {
  readonly #parts: TracesParts;

  constructor(parts: TracesParts) {
    this.#parts = parts;
  }

  get remembers(): boolean {
    return this.#parts.remembers;
  }

  /**
   * @param channel where to look for it; needed when it was published straight to Redis and nobody
   *   was subscribed, or when its id was used in several channels
   * @returns undefined when nobody knows of it
   * @throws ProtocolError `unavailable`
   */
  async find(
    messageId: string,
    { channel, deadline }: { channel: string | undefined; deadline: Deadline },
  ): Promise<MessageTrace | undefined> {
    const ask = async (kind: string, body: Json) =>
      deadline.settle(this.#parts.control.ask(kind, body), stateUnavailable);
    const [published, delivered] = await Promise.all([
      ask(PUBLISHED_QUESTION, messageId),
      ask(TRACE_QUESTIONS.deliveries, messageId),
    ]);
    const wherever = delivered.answers.map(({ node, body }) => ({
      node,
      deliveries: body as unknown as DeliveryTrace[],
    }));
    const known =
      publishing(published.answers, channel) ??
      (await this.#findStored(messageId, channel ?? channelOf(wherever), deadline));
    const where = known?.channel ?? channel ?? channelOf(wherever);
    if (where === undefined) return undefined;
    const deliveries = wherever.map(({ node, deliveries }) => ({
      node,
      deliveries: deliveries.filter((each) => [where, FIREHOSE].includes(each.channel)),
    }));
    if (known === undefined && receivedAt(deliveries) === undefined) return undefined;
    const at = Date.parse(known?.at ?? receivedAt(deliveries) ?? '');
    const bystanders = await ask(TRACE_QUESTIONS.bystanders, { channel: where, at });
    const nodes = bystanders.answers
      .map(({ node, body }) => ({
        node,
        ...(body as unknown as Bystanders),
        deliveries: deliveries.find((each) => each.node === node)?.deliveries ?? [],
      }))
      .sort((one, other) => one.node.localeCompare(other.node));
    const { silent } = bystanders;
    const trace = {
      message_id: messageId,
      ...(known !== undefined && { published: known }),
      nodes,
      ...(silent !== undefined && { silent }),
    };
    return { ...trace, explanation: explain(trace, where) };
  }

  async #findStored(messageId: string, channel: string | undefined, deadline: Deadline) {
    if (channel === undefined) return undefined;
    const reading = this.#parts.broker.history(channel, undefined, SEARCHED);
    const { publications } = await deadline.settle(reading, stateUnavailable);
    const found = publications.find(({ event }) => event['message_id'] === messageId);
    if (found?.position === undefined) return undefined;
    const { type, position, event } = found;
    return { channel, type, cursor: toCursor(position), at: String(event['timestamp']) };
  }
}

/** By the newest that was published of that id, in the channel if one is asked for. */
function publishing(answers: readonly ControlAnswer[], channel: string | undefined) {
  return answers
    .flatMap(({ node: publisher, body }) =>
      (body as unknown as PublishedTrace[]).map((each) => ({ ...each, publisher })),
    )
    .filter((each) => channel === undefined || each.channel === channel)
    .sort((one, other) => other.at.localeCompare(one.at))[0];
}

type Delivered = readonly { readonly deliveries: DeliveryTrace[] }[];

function channelOf(nodes: Delivered): string | undefined {
  const channels = nodes.flatMap(({ deliveries }) => deliveries.map(({ channel }) => channel));
  return channels.find((channel) => channel !== FIREHOSE);
}

function receivedAt(nodes: Delivered): string | undefined {
  return nodes.flatMap((node) => node.deliveries.map((delivery) => delivery.received_at)).sort()[0];
}
