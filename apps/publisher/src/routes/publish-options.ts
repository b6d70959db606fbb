import type { PublisherContext } from '../context.ts';
import { checkedLater } from '../validation.ts';

/** What all routes that publish have in common. */
export function publishOptions<Schema>({ authority, limits }: PublisherContext, schema: Schema) {
  return {
    onRequest: authority.require('publish'),
    bodyLimit: limits.maxBatchBytes,
    validatorCompiler: checkedLater,
    schema,
  };
}
