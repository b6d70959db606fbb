import type { Telemetry } from '../ports/telemetry.ts';
import { errorForClient } from './refusals.ts';

/** The result of resuming one channel; its outcome is read when the answer is made. */
export interface ResumeResult {
  readonly outcome: object;
}

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
