import { type Published, reportUnavailable, type Telemetry } from '@leque/core';
import {
  type BatchItemResult,
  type Event,
  type ItemResult,
  type ProblemDocument,
  type Stored,
  toCursor,
} from '@leque/protocol';
import { isFailure, problemOf } from '@leque/service';

const UNADDRESSED =
  'deprecated: this event named nobody, so it went to everybody; say channel "all", or give user_id or project_id';

export function storedAnswer(event: Event, published: Published): Stored {
  const { channel, live, unaddressed, warnings } = event;
  const stored = storedIn(channel, published);
  if (live) stored.live = true;
  if (unaddressed) stored.warning = UNADDRESSED;
  if (warnings !== undefined) stored.warnings = [...warnings];
  return stored;
}

export function storedIn(channel: string, published: Published): Stored {
  const { messageId: message_id, position, duplicate } = published;
  return position === undefined
    ? { message_id, channel, duplicate }
    : { message_id, channel, cursor: toCursor(position), duplicate };
}

/** The problem for the caller of an event that was not stored; bugs are reported. */
export function problemFor(telemetry: Telemetry, error: unknown): ProblemDocument {
  if (isFailure(error)) telemetry.report({ type: 'failure', where: 'publish', error });
  else reportUnavailable(telemetry, { where: 'publish', error });
  return problemOf(error);
}

/** The status of an event that the broker did not store, or may not have stored. */
export function failedStatus({ code }: ProblemDocument): 'unavailable' | 'unknown' {
  return code === 'unavailable' ? 'unavailable' : 'unknown';
}

/** The problem of the whole request; undefined as soon as one event is known to be published. */
export function requestProblem(results: readonly BatchItemResult[]): ProblemDocument | undefined {
  const all = results.flatMap((each) => ('results' in each ? each.results : [each]));
  if (all.some(({ status }) => status === 'stored' || status === 'live')) return undefined;
  const failed = all.flatMap((each) =>
    each.status === 'unavailable' || each.status === 'unknown' ? [each] : [],
  );
  const worst = failed.find(({ status }) => status === 'unknown') ?? failed[0];
  return worst?.problem;
}

const WORST_FIRST = ['unknown', 'unavailable', 'stored', 'live', 'refused'] as const;

/** Says whether it is worth trying again: only then a result is `unknown` or `unavailable`. */
export function worstOf(results: readonly ItemResult[]): ItemResult['status'] {
  return WORST_FIRST.find((one) => results.some(({ status }) => status === one)) ?? 'refused';
}
