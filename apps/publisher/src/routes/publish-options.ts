import { RequestError } from '@leque/service';
import type { FastifyRequest } from 'fastify';
import { checkedLater } from '../http/validation.ts';
import type { PublishOptions } from '../publishing/publishing.ts';
import type { SentEvents } from '../publishing/sent-events.ts';
import type { PublisherContext } from './context.ts';

/** Options of every route that publishes. */
export function publishOptions<Schema>({ authority, limits }: PublisherContext, schema: Schema) {
  return {
    onRequest: authority.require('publish'),
    bodyLimit: limits.maxBatchBytes,
    errorHandler: (error: Error) => {
      throw explained(error, limits.maxBatchBytes);
    },
    validatorCompiler: checkedLater,
    schema,
  };
}

/** Fastify's own error names neither the limit nor its variable. */
function explained(error: Error & { readonly code?: string }, maxBytes: number): Error {
  if (error.code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return error;
  const detail = `the body of a request that publishes has at most ${maxBytes} bytes (MAX_BATCH_SIZE)`;
  return new RequestError('payload_too_large', detail);
}

/** The body of a request to a route whose bodies `readSentEvents` reads. */
export function sentEvents({ body }: { readonly body: unknown }): SentEvents {
  return body as SentEvents;
}

/** The request that events belong to, as `Publishing` needs it. */
export function requestOf(
  { limits }: PublisherContext,
  request: Pick<FastifyRequest, 'caller' | 'bucket' | 'headers'>,
): Omit<PublishOptions, 'deadline'> {
  const { caller, bucket, headers } = request;
  const traceparent = headers['traceparent'];
  const isTraceTrusted =
    limits.trustTraceparent === 'all' ||
    (limits.trustTraceparent === 'keys' && bucket?.kind === 'key');
  return {
    caller,
    isTraceTrusted,
    traceparent: typeof traceparent === 'string' ? traceparent : undefined,
  };
}
