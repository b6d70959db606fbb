const REQUEST_TIMEOUT_MS = 10_000;
const LOOK_MS = 1000;

/**
 * The whole of a request has to have arrived by then, however slowly it is sent (LIVE); what answers
 * it may take longer. As options of Fastify, and within them of Node, which by itself looks every
 * 30 s.
 */
export const REQUEST_LIMITS = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  http: { requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: LOOK_MS },
} as const;
