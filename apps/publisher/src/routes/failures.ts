import { ProblemDocument } from '../problem.ts';

/** What every route answers when it does not succeed. */
export const failures = { '4xx': ProblemDocument, '5xx': ProblemDocument };
