import { checkedLater } from '../http/validation.ts';
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
