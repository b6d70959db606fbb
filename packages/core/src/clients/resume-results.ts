import { type Cursor, tryParseChannel } from '@leque/protocol';
import type { Hub } from '../fan-out/hub.ts';
import type { EndedChannel, Session } from '../fan-out/session.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { errorForClient } from './refusals.ts';

/** The result of resuming one channel; its outcome is read when the answer is made. */
export interface ResumeResult {
  readonly outcome: object;
}

/** Maps each channel to the cursor that a client presents, or to undefined. */
export type PresentedCursors = ReadonlyMap<string, string | undefined>;

export interface SubscribeResults {
  readonly results: ResumeResults;
  readonly subscribed: readonly string[];
  /** Other channels that the first selection has ended. */
  readonly ended: readonly string[];
}

export interface Renewal {
  /** The channels that the fresh token does not cover. */
  readonly ended: readonly string[];
  /** The results of the cursors that came with the token. */
  readonly results: ResumeResults;
}

/** Why a channel ends: the fresh token does not cover it, or the grant that did has expired. */
export type EndReason = 'not_granted' | 'grant_expired';

export interface EndedForReason extends EndedChannel {
  readonly reason: EndReason;
}

const END_MESSAGES: Readonly<Record<EndReason, string>> = {
  not_granted: 'The token does not cover',
  grant_expired: 'The grant has ended for',
};

export type ResumeResults = readonly (readonly [channel: string, result: ResumeResult])[];

/**
 * Resumes several channels. A refusal is the result of its channel, so that no channel flows before
 * all are done (GAP). An outcome that cannot be found out has closed the session.
 */
export function resumeChannels(
  telemetry: Telemetry,
  channels: readonly string[],
  resume: (channel: string) => Promise<ResumeResult>,
): Promise<ResumeResults> {
  return Promise.all(
    channels.map(async (channel) => {
      return [channel, await resultOrRefusal(telemetry, () => resume(channel))] as const;
    }),
  );
}

/** The outcomes as they are now: channels that flowed before have moved meanwhile. */
export function outcomesOf(results: ResumeResults): object {
  return Object.fromEntries(results.map(([channel, { outcome }]) => [channel, outcome]));
}

/** A client that comes back presents these cursors. */
export interface Standing {
  readonly cursors: Readonly<Record<string, Cursor>>;
  /** Channels that have no cursor, because what is missed there cannot come back. */
  readonly live_only?: readonly string[];
}

/** Lists all channels of a session. Nothing is read: subscribing has brought the positions. */
export function standingOf({ subscriptions }: Pick<Session, 'subscriptions'>): Standing {
  const cursors: Record<string, Cursor> = Object.create(null); // keys that differ by user make slow objects
  const liveOnly: string[] = [];
  for (const { channel, outcome } of subscriptions.values()) {
    if (outcome.cursor === undefined) liveOnly.push(channel);
    else cursors[channel] = outcome.cursor;
  }
  return liveOnly.length === 0 ? { cursors } : { cursors, live_only: liveOnly };
}

/** The fields with which clients are told that a project which they have chosen is covered again. */
export function returnFields({ subscriptions }: Session, channel: string): object {
  const project_id = projectOf(channel);
  const message = `Subscribed to project ${project_id} again`;
  return { project_id, channel, message, ...subscriptions.get(channel)?.outcome };
}

/** The fields with which clients are told that a channel has ended. */
export function endFields({ channel, cursor, reason }: EndedForReason): object {
  const project_id = projectOf(channel);
  const subject = project_id === undefined ? channel : `project ${project_id}`;
  const why = END_MESSAGES[reason];
  return { project_id, channel, reason, message: `${why} ${subject}`, cursor };
}

function projectOf(channel: string): string | undefined {
  const parsed = tryParseChannel(channel);
  return parsed?.kind === 'project' ? parsed.id : undefined;
}

/** The client that has presented cursors: a `ClientSession`. */
interface ResumingClient {
  readonly session: Session;
  readonly context: { readonly hub: Hub };
}

/**
 * The client has presented cursors of these channels: `tell` is called after its answer, once they have
 * brought what was missed.
 */
export function announceCaughtUp(
  { session, context }: ResumingClient,
  presented: Iterable<string>,
  tell: (channels: readonly string[]) => void,
): void {
  const channels = [...presented].filter((channel) => session.subscriptions.has(channel));
  context.hub.replays.announce(session, channels, () => tell(channels));
}

async function resultOrRefusal(
  telemetry: Telemetry,
  resume: () => Promise<ResumeResult>,
): Promise<ResumeResult> {
  try {
    return await resume();
  } catch (error) {
    const { code, message } = errorForClient(error, 'resume', telemetry);
    return { outcome: { recovered: false, code, message } };
  }
}
