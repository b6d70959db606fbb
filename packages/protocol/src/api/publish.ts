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

/** The outcome of one event of a list. */
export const ItemResult = Type.Union([
  Type.Object({ status: Type.Literal('stored'), ...Stored.properties }),
  Type.Object({ status: Type.Literal('live'), ...Stored.properties }),
  Type.Object({ status: Type.Literal('refused'), problem: ProblemDocument }),
  Type.Object({ status: Type.Literal('unavailable'), problem: ProblemDocument }),
  Type.Object({ status: Type.Literal('unknown'), problem: ProblemDocument }),
]);
export type ItemResult = Static<typeof ItemResult>;

/** The answer to a list of events: one result each, in their order. */
export const PublishResults = Type.Object({ results: Type.Array(ItemResult) });
export type PublishResults = Static<typeof PublishResults>;
