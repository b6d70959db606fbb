import { hash } from 'node:crypto';
import type { Published, Telemetry } from '@leque/core';
import { type Event, toCursor } from '@leque/protocol';
import { isFailure, ProblemDocument, problemOf } from '@leque/service';
import { type Static, Type } from 'typebox';
import type { Publishing, PublishOptions } from './publishing.ts';

const stored = {
  message_id: Type.String(),
  channel: Type.String(),
  cursor: Type.Optional(
    Type.String({ description: 'position in the channel; absent where no history is kept' }),
  ),
};

/** The answer to one event that was stored. */
export const Stored = Type.Object({
  ...stored,
  duplicate: Type.Boolean({
    description: 'true when the idempotency key was known: this is its first result',
  }),
});
export type Stored = Static<typeof Stored>;

/** The outcome of one event of a batch. */
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

export interface BatchRequest extends PublishOptions {
  readonly items: readonly unknown[];
  /** Idempotency key of the whole request; the key of each item is derived from it. */
  readonly key: string | undefined;
}

export interface BatchDeps {
  readonly publishing: Publishing;
  readonly telemetry: Telemetry;
}

/**
 * Publishes the events of a batch in their order, without waiting for one to send the next.
 * @returns one result per item, in order; an invalid item does not affect the others
 */
export function publishBatch(
  { publishing, telemetry }: BatchDeps,
  { items, key, ...options }: BatchRequest,
): Promise<ItemResult[]> {
  const problemFor = (error: unknown) => {
    if (isFailure(error)) telemetry.report({ type: 'failure', where: 'publish', error });
    return problemOf(error);
  };
  const publishOne = async (item: unknown, index: number): Promise<ItemResult> => {
    let event: Event;
    try {
      event = publishing.check(item, key === undefined ? undefined : itemKey(key, index));
    } catch (error) {
      return { status: 'refused', problem: problemFor(error) };
    }
    try {
      const published = await publishing.publish(event, options);
      return { status: 'stored', ...storedAnswer(event, published) };
    } catch (error) {
      const problem = problemFor(error);
      return { status: problem.code === 'unavailable' ? 'unavailable' : 'unknown', problem };
    }
  };
  return Promise.all(items.map(publishOne));
}

/** The hash keeps derived keys apart from the keys of single events, such as `order:0`. */
function itemKey(key: string, index: number): string {
  return `batch:${hash('sha256', `${index}:${key}`, 'base64url')}`;
}

/** The problem of the whole batch; undefined as soon as one event is known to be stored. */
export function batchProblem(results: readonly ItemResult[]): ProblemDocument | undefined {
  const failed = results.filter(
    (item) => item.status === 'unavailable' || item.status === 'unknown',
  );
  if (failed.length === 0 || results.some(({ status }) => status === 'stored')) return undefined;
  const worst = failed.find(({ status }) => status === 'unknown') ?? failed[0];
  return worst?.problem;
}
