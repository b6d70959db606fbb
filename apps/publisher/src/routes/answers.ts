import { ProblemDocument } from '@leque/protocol';
import { type TSchema, Type } from 'typebox';

const EXAMPLE = {
  type: 'about:blank',
  title: 'invalid event',
  status: 400,
  detail: 'data.title is required',
  code: 'invalid_event',
  errors: [{ field: 'data.title', message: 'is required' }],
};
const content = {
  'application/problem+json': {
    schema: Type.Object(ProblemDocument.properties, { examples: [EXAMPLE] }),
  },
};

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

/** A copy of the schema of a successful answer that says what the answer means. */
export function described<S extends TSchema>(schema: S, description: string): S {
  return Object.create(Object.prototype, {
    ...Object.getOwnPropertyDescriptors(schema),
    description: { value: description, enumerable: true },
  }) as S;
}
