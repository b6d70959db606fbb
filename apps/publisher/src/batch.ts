import { hash } from 'node:crypto';
import type { Published } from '@leque/core';
import { type Event, toCursor } from '@leque/protocol';
import { isFailure, ProblemDocument, problemOf } from '@leque/service';
import { type Static, Type } from 'typebox';
import type { PublisherContext } from './context.ts';
import type { Deadline } from './deadline.ts';

const stored = {
  message_id: Type.String(),
  channel: Type.String(),
  cursor: Type.Optional(
    Type.String({ description: 'the position in the channel; absent where no history is kept' }),
  ),
};

/** The answer for one event that was stored. */
export const Stored = Type.Object({
  ...stored,
  duplicate: Type.Boolean({
    description: 'the idempotency key was known; this is its first result',
  }),
});
export type Stored = Static<typeof Stored>;

/** What became of one event of a batch. */
export const ItemResult = Type.Union([
  Type.Object({ status: Type.Literal('stored'), ...Stored.properties }),
  Type.Object({ status: Type.Literal('refused'), problem: ProblemDocument }),
  Type.Object({ status: Type.Literal('unavailable'), problem: ProblemDocument }),
  Type.Object({ status: Type.Literal('unknown'), problem: ProblemDocument }),
]);
export type ItemResult = Static<typeof ItemResult>;

export function storedAnswer({ channel }: Event, published: Published): Stored {
  const { messageId, position, duplicate } = published;
  return {
    message_id: messageId,
    channel,
    ...(position !== undefined && { cursor: toCursor(position) }),
    duplicate,
  };
}

export interface BatchRequest {
  readonly items: readonly unknown[];
  /** Of the request as a whole; each item gets one of its own. */
  readonly key: string | undefined;
  readonly deadline: Deadline;
  readonly caller: string;
  readonly traceparent: string | undefined;
}

/**
 * Publishes the events of a batch in their order, without waiting for one to send the next.
 * @returns one result per item, in order; a bad item does not keep the others from being stored
 */
export function publishBatch(
  context: Pick<PublisherContext, 'publishing' | 'telemetry'>,
  { items, key, ...options }: BatchRequest,
): Promise<ItemResult[]> {
  const { publishing, telemetry } = context;
  const told = (error: unknown) => {
    if (isFailure(error)) telemetry.report({ type: 'failure', where: 'publish', error });
    return problemOf(error);
  };
  const publishOne = async (item: unknown, index: number): Promise<ItemResult> => {
    let event: Event;
    try {
      event = publishing.check(item, key === undefined ? undefined : itemKey(key, index));
    } catch (error) {
      return { status: 'refused', problem: told(error) };
    }
    try {
      const published = await publishing.publish(event, options);
      return { status: 'stored', ...storedAnswer(event, published) };
    } catch (error) {
      const problem = told(error);
      return { status: problem.code === 'unavailable' ? 'unavailable' : 'unknown', problem };
    }
  };
  return Promise.all(items.map(publishOne));
}

/** Hashed, so that no key that a single event comes with is composed alike (`order:0`). */
function itemKey(key: string, index: number): string {
  return `batch:${hash('sha256', `${index}:${key}`, 'base64url')}`;
}

/** The problem of a batch of which nothing is known to be stored; undefined when something is. */
export function batchProblem(results: readonly ItemResult[]): ProblemDocument | undefined {
  const failed = results.filter(
    (item) => item.status === 'unavailable' || item.status === 'unknown',
  );
  if (failed.length === 0 || results.some(({ status }) => status === 'stored')) return undefined;
  const worst = failed.find(({ status }) => status === 'unknown') ?? failed[0];
  return worst?.problem;
}
