import {
  type Broker,
  type Control,
  type ControlAnswer,
  type ControlKind,
  type Deadline,
  MAX_HISTORY_BYTES,
} from '@leque/core';
import {
  type Delivery,
  type DeliveryReport,
  FIREHOSE,
  type PublishRecord,
  toCursor,
} from '@leque/protocol';
import { BYSTANDERS, DELIVERIES } from '@leque/service';
import { explain } from './explain.ts';
import { PUBLISH_RECORDS } from './publish-journal.ts';

/** Newest publications of a history that are searched for an event that no publisher remembers. */
const SEARCHED = { publications: 1_000, bytes: MAX_HISTORY_BYTES };

export interface DeliveryReportsDeps {
  readonly control: Control;
  readonly broker: Broker;
}

export interface ReportRequest {
  readonly messageId: string;
  /** Where to search; undefined unless the caller named a channel. */
  readonly channel: string | undefined;
  readonly deadline: Deadline;
}

interface NodeDeliveries {
  readonly node: string;
  readonly deliveries: Delivery[];
}

/** Collects from all processes what became of an event. */
export class DeliveryReports {
  readonly #deps: DeliveryReportsDeps;

  constructor(deps: DeliveryReportsDeps) {
    this.#deps = deps;
  }

  /**
   * The channel is needed for an event that was published straight to Redis while nobody was
   * subscribed, and for a message id that was used in several channels.
   * @returns undefined when no process knows the event
   * @throws ProtocolError `unavailable`
   */
  async find(request: ReportRequest): Promise<DeliveryReport | undefined> {
    const { messageId, channel, deadline } = request;
    const [published, delivered] = await Promise.all([
      this.#request(PUBLISH_RECORDS, messageId, deadline),
      this.#request(DELIVERIES, messageId, deadline),
    ]);
    const received = delivered.answers.map(({ node, body }) => ({ node, deliveries: body }));
    const guess = channel ?? channelOf(received);
    const known =
      newestRecord(published.answers, channel) ??
      (await this.#findStored({ ...request, channel: guess }));
    const where = known?.channel ?? guess;
    if (where === undefined) return undefined;
    const deliveries = received.map((each) => deliveriesIn(each, where));
    const at = known?.at ?? firstReceipt(deliveries);
    if (at === undefined) return undefined;
    const { nodes, silent } = await this.#nodes({ where, at, deliveries, deadline });
    const report = {
      message_id: messageId,
      ...(known !== undefined && { published: known }),
      nodes,
      ...(silent !== undefined && { silent }),
    };
    return { ...report, explanation: explain(report, where) };
  }

  #request<Q, A>(kind: ControlKind<Q, A>, body: Q, deadline: Deadline) {
    return deadline.settle(this.#deps.control.request(kind, body));
  }

  async #nodes({ where, at, deliveries, deadline }: Whereabouts) {
    const request = { channel: where, at: Date.parse(at) };
    const { answers, silent } = await this.#request(BYSTANDERS, request, deadline);
    const nodes = answers
      .map(({ node, body }) => ({
        node,
        ...body,
        deliveries: deliveries.find((each) => each.node === node)?.deliveries ?? [],
      }))
      .sort((one, other) => one.node.localeCompare(other.node));
    return { nodes, silent };
  }

  async #findStored({ messageId, channel, deadline }: ReportRequest) {
    if (channel === undefined) return undefined;
    const reading = this.#deps.broker.history(channel, undefined, SEARCHED);
    const { publications } = await deadline.settle(reading);
    const found = publications.find(({ event }) => event['message_id'] === messageId);
    if (found?.position === undefined) return undefined;
    const { type, position, event } = found;
    return { channel, type, cursor: toCursor(position), at: String(event['timestamp']) };
  }
}

interface Whereabouts {
  readonly where: string;
  /** Time of the publication (RFC 3339). */
  readonly at: string;
  readonly deliveries: readonly NodeDeliveries[];
  readonly deadline: Deadline;
}

/** The newest publication of the message id, in `channel` where one is given. */
function newestRecord(
  answers: readonly ControlAnswer<PublishRecord[]>[],
  channel: string | undefined,
) {
  return answers
    .flatMap(({ node: publisher, body }) => body.map((each) => ({ ...each, publisher })))
    .filter((each) => channel === undefined || each.channel === channel)
    .sort((one, other) => other.at.localeCompare(one.at))[0];
}

/** Project events also reach nodes through the firehose. */
function deliveriesIn({ node, deliveries }: NodeDeliveries, channel: string): NodeDeliveries {
  return {
    node,
    deliveries: deliveries.filter((each) => [channel, FIREHOSE].includes(each.channel)),
  };
}

function channelOf(nodes: readonly NodeDeliveries[]): string | undefined {
  const channels = nodes.flatMap(({ deliveries }) => deliveries.map(({ channel }) => channel));
  return channels.find((channel) => channel !== FIREHOSE);
}

function firstReceipt(nodes: readonly NodeDeliveries[]): string | undefined {
  return nodes.flatMap((node) => node.deliveries.map((delivery) => delivery.received_at)).sort()[0];
}
