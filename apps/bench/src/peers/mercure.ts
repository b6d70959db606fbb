import type { Target } from '../targets/target.ts';

const REASON =
  'Mercure serves server-sent events over HTTP, and the load generator speaks WebSocket only';

/** Mercure has a place in the table, so that nobody looks for it there in vain. */
export const mercure: Target = {
  name: 'mercure',
  formats: ['sse'],
  unavailable: async () => REASON,
  start: () => Promise.reject(new Error(REASON)),
};
