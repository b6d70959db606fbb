import { type Position, tryParseCursor } from '@leque/protocol';

const DEADLINE_MS = 5000;

/** The outcome of one event of a batch. */
export type Outcome =
  | { readonly kind: 'stored'; readonly position: Position }
  | { readonly kind: 'live' }
  /** Not stored, or not known to be; `status` is that of the answer. */
  | { readonly kind: 'failed'; readonly status: string }
  | { readonly kind: 'refused'; readonly reason: string };

interface ItemResult {
  readonly status: string;
  readonly cursor?: string;
  readonly problem?: { readonly detail: string };
}

/**
 * Publishes events with one request.
 * @returns the outcome of each event, in their order; all have failed when there was no answer
 */
export async function publishBatch(
  url: string,
  events: readonly object[],
  headers: Readonly<Record<string, string>>,
): Promise<Outcome[]> {
  try {
    const response = await fetch(`${url}/api/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(events),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const body = (await response.json()) as { results?: readonly ItemResult[]; detail?: string };
    if (body.results !== undefined) return body.results.map(outcomeOf);
    const status = String(response.status);
    if (response.status >= 500) return events.map(() => ({ kind: 'failed', status }));
    return events.map(() => ({ kind: 'refused', reason: `${status} ${body.detail ?? ''}` }));
  } catch (error) {
    const late = error instanceof Error && error.name === 'TimeoutError';
    return events.map(() => ({ kind: 'failed', status: late ? 'timeout' : 'no connection' }));
  }
}

function outcomeOf({ status, cursor, problem }: ItemResult): Outcome {
  if (status === 'refused') return { kind: 'refused', reason: problem?.detail ?? '' };
  if (status === 'live') return { kind: 'live' };
  if (status !== 'stored') return { kind: 'failed', status };
  const position = tryParseCursor(cursor ?? '');
  if (position !== undefined) return { kind: 'stored', position };
  return { kind: 'refused', reason: `stored without a position: ${cursor}` };
}
