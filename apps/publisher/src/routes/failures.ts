import { ProblemDocument } from '@leque/protocol';

const content = { 'application/problem+json': { schema: ProblemDocument } };

/** The answers of every route to requests that fail. */
export const failures = {
  '4xx': {
    description:
      'The request was refused; nothing was stored. After 429, retry after the time in `Retry-After`.',
    content,
  },
  '5xx': {
    description: 'The request failed. After 503, retry after the time in `Retry-After`.',
    content,
  },
};
