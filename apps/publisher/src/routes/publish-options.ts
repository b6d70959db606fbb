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
    validatorCompiler: checkedLater,
    schema,
  };
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
