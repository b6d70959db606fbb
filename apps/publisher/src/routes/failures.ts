import { ProblemDocument } from '@leque/service';

/** What every route answers when it does not succeed. */
export const failures = { '4xx': ProblemDocument, '5xx': ProblemDocument };
