/**
 * Length of the kernel's queue of connections that are not accepted yet; `net.core.somaxconn` limits it.
 * When more clients come back at once, the others wait up to a minute for TCP to retry.
 */
export const LISTEN_BACKLOG = 4096;
const REQUEST_TIMEOUT_MS = 10_000;
/** The head of a request is small, and everybody can send it at once. */
const HEAD_TIMEOUT_MS = 5000;
const CHECK_INTERVAL_MS = 1000;
/** A token of 16 KiB fits, with as much beside it; Node's own limit is 16 KiB for everything. */
const MAX_HEAD_BYTES = 32_768;

/**
 * A request must arrive completely within the timeout, however slowly it is sent (LIVE); answering
 * may take longer. The object holds options of Fastify and, in `http`, of Node, whose own check runs
 * only every 30 s.
 */
export const REQUEST_LIMITS = {
  requestTimeout: REQUEST_TIMEOUT_MS,
  http: {
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: HEAD_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  },
} as const;
