import type { Target } from '../targets/target.ts';

const REASON =
  'Mercure serves server-sent events over HTTP, and the load generator speaks WebSocket only';

/** Mercure is listed so that readers learn why it is not measured. */
export const mercure: Target = {
  name: 'mercure',
  formats: ['sse'],
  unavailable: async () => REASON,
  start: () => Promise.reject(new Error(REASON)),
};
