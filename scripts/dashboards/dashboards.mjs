import { cluster } from './cluster.mjs';
import { gateway } from './gateway.mjs';
import { publisher } from './publisher.mjs';
import { redis } from './redis.mjs';

/** Each file, and what should be in it. */
export const dashboards = [cluster, gateway, redis, publisher].map((each) => [
  `${each.uid}.json`,
  `${JSON.stringify(each, null, 2)}\n`,
]);
