import { RequestError } from '@leque/service';
import type { FastifyInstance } from 'fastify';

/** JSON text may be longer than the stored event, because of escapes and indentation. */
const TEXT_PER_BYTE = 8;
const BATCH = /^\s*\[/;

/**
 * Reads JSON bodies. The text of a single event that is certainly too large is refused before it is
 * parsed, because parsing the fields of a whole batch in one event would block the process.
 */
export function readJson(api: FastifyInstance, maxEventBytes: number): void {
  // `__proto__` and `constructor` are ordinary names here: data is passed on, never merged.
  const parse = api.getDefaultJsonParser('ignore', 'ignore');
  const limit = TEXT_PER_BYTE * maxEventBytes;
  api.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => {
      if (body.length <= limit || BATCH.test(body)) return parse(request, body, done);
      const detail = `one event has at most ${limit} bytes of JSON, this one has more`;
      return done(new RequestError('payload_too_large', detail));
    },
  );
}
