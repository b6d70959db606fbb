import { type Static, Type } from 'typebox';
import { FieldProblem, ProblemDocument } from '../wire/problem-document.ts';

/** The answer to one event that was stored, or passed on live. */
export const Stored = Type.Object({
  message_id: Type.String(),
  channel: Type.String(),
  cursor: Type.Optional(
    Type.String({
      description: 'position in the channel; absent where no history is kept, and for a live event',
    }),
  ),
  live: Type.Optional(
    Type.Literal(true, { description: 'the event was live only: sent on, and not stored' }),
  ),
  duplicate: Type.Boolean({
    description: 'true when the idempotency key was known: this is its first result',
  }),
  warning: Type.Optional(
    Type.String({ description: 'the event named nobody, and went to everybody' }),
  ),
  warnings: Type.Optional(
    Type.Array(FieldProblem, {
      description: 'how `data` misses the schema of its type, where EVENT_SCHEMAS is `warn`',
    }),
  ),
});
export type Stored = Static<typeof Stored>;

const FailedStatus = Type.Enum(['refused', 'unavailable', 'unknown'], {
  description:
    '`refused` and `unavailable`: not stored; `unknown`: may be stored. After the last two, ' +
    'publish again with the same idempotency key',
});

/** The outcome of one event in one channel. */
export const ItemResult = Type.Union([
  Type.Object({ status: Type.Literal('stored'), ...Stored.properties }),
  Type.Object({ status: Type.Literal('live'), ...Stored.properties }),
  Type.Object({
    status: FailedStatus,
    channel: Type.Optional(
      Type.String({ description: 'present where the event names its recipients in lists' }),
    ),
    problem: ProblemDocument,
  }),
]);
export type ItemResult = Static<typeof ItemResult>;

/** The outcome of an event that names its recipients in lists. */
export const ListResult = Type.Object({
  message_id: Type.String({ description: 'the same in all channels' }),
  results: Type.Array(ItemResult, {
    description: 'one result for each of `user_ids`, then one for each of `project_ids`',
  }),
  warnings: Stored.properties.warnings,
});
export type ListResult = Static<typeof ListResult>;

/** The outcome of one event of a batch. */
export const BatchItemResult = Type.Union([
  ItemResult,
  Type.Object({
    status: Type.Enum(['stored', 'live', 'refused', 'unavailable', 'unknown'], {
      description:
        'the worst of the results, where `unknown` and `unavailable` come before `stored` and ' +
        '`live`, and these before `refused`',
    }),
    ...ListResult.properties,
  }),
]);
export type BatchItemResult = Static<typeof BatchItemResult>;

/** The answer to a batch of events: one result each, in their order. */
export const PublishResults = Type.Object({ results: Type.Array(BatchItemResult) });
export type PublishResults = Static<typeof PublishResults>;
