import { RequestError } from '@leque/service';
import type { FastifyInstance } from 'fastify';

/** As text an event may be longer than as it is stored: escaped, and laid out for people. */
const TEXT_PER_BYTE = 8;
const BATCH = /^\s*\[/;

/**
 * Reads the bodies of requests. One event that cannot be small enough any more is refused unread:
 * with as many fields as a whole batch may have, it would keep everybody else waiting for seconds.
 */
export function readJson(api: FastifyInstance, maxEventBytes: number): void {
  // Those are names like others in what is passed on as text; nothing here merges objects.
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
