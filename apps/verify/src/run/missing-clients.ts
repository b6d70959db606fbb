import type { MissingClient } from '../clients/client-spec.ts';

/** The clients that have no connection, as one line for each kind and reason. */
export function describeMissingClients(missing: readonly MissingClient[], all: number): string {
  const groups = Map.groupBy(missing, ({ kind, reason }) => `${kind}: ${reason}`);
  const lines = [...groups].map(([text, clients]) => `  ${clients.length} × ${text}`);
  return [`${missing.length} of ${all} clients could not connect:`, ...lines].join('\n');
}
