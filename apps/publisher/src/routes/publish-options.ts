import { checkedLater } from '../http/validation.ts';
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
