import { type Static, Type } from 'typebox';

/** What is wrong with one field. */
export const FieldProblem = Type.Object({ field: Type.String(), message: Type.String() });

/** The body of every HTTP error, `application/problem+json` (RFC 9457). */
export const ProblemDocument = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String({ description: 'stable code for programs' }),
  errors: Type.Optional(
    Type.Array(FieldProblem, { description: 'one entry for each wrong field' }),
  ),
});
export type ProblemDocument = Static<typeof ProblemDocument>;
