import { setTimeout as delay } from 'node:timers/promises';
import type { BatchItemResult, ItemResult, PublishResults } from '@leque/protocol';
import { type Api, bodyWith } from './api-client.ts';
import type { EventLine } from './event-lines.ts';
import { CommandError } from './exit.ts';

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 200;

type Event = EventLine['event'];

/** A live event is sent once, and has no idempotency key. */
export function isLive(event: Event | undefined): boolean {
  return event?.['live'] === true;
}

/**
 * Publishes until the outcome of each event is known, or five attempts have failed.
 * @returns a result for each event, in their order
 */
export async function publishAll(
  api: Api,
  events: readonly Event[],
): Promise<readonly BatchItemResult[]> {
  const results: BatchItemResult[] = [];
  let open: readonly OpenEvent[] = [...events.entries()];
  for (let attempt = 1; ; attempt += 1) {
    const isLast = attempt === ATTEMPTS;
    const answers = await publishOnce(api, open).catch((error: unknown) => {
      const remains = open.some(([, event]) => !isLive(event));
      if (!isRetryable(error) || isLast || !remains) throw error;
      return open.map(() => NO_ANSWER);
    });
    open.forEach(([index], at) => {
      results[index] = answers[at] ?? NO_ANSWER;
    });
    open = open.filter(([index, event]) => isOpen(event, results[index]));
    if (open.length === 0 || isLast) return results;
    await delay(Math.random() * FIRST_PAUSE_MS * 2 ** attempt);
  }
}

/** An event without a known outcome, after its place among all events. */
type OpenEvent = readonly [index: number, event: Event];

function isRetryable(error: unknown): boolean {
  return error instanceof CommandError && error.retryable;
}

/** The result of an event that was sent, and not answered. A live one keeps it. */
const NO_ANSWER: ItemResult = {
  status: 'unknown',
  problem: {
    type: 'about:blank',
    title: 'outcome unknown',
    status: 503,
    code: 'outcome_unknown',
    detail: 'no answer; a live event is not sent again, because it could come twice',
  },
};

/** Whether the event has to be sent once more. A live one that some have got is not. */
function isOpen(event: Event, result: BatchItemResult | undefined): boolean {
  if (result === undefined) return false;
  const results = 'results' in result ? result.results : [result];
  if (isLive(event)) return results.every(({ status }) => status === 'unavailable');
  return results.some(({ status }) => status === 'unavailable' || status === 'unknown');
}

async function publishOnce(
  api: Api,
  open: readonly OpenEvent[],
): Promise<readonly BatchItemResult[]> {
  const answer = await api.request(
    '/api/publish',
    open.map(([, event]) => event),
  );
  const { results } = answer.body as Partial<PublishResults>;
  // Results that are not all stored come with the status of a failure.
  return results ?? bodyWith<PublishResults>('results', answer, api).results;
}
