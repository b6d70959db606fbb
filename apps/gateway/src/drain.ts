import {
  CLOSE_TIMEOUT_MS,
  type Clock,
  type Hub,
  RETURN_SPREAD_MS,
  returnHint,
  type Session,
} from '@leque/core';
import { CLOSE } from '@leque/protocol';

const STEP_MS = 100;
/** By this time transports have cut the clients that do not answer the close. */
const GONE_TIMEOUT_MS = CLOSE_TIMEOUT_MS + 500;

export interface DrainPace {
  /** The time over which sessions are moved away. */
  readonly timeoutMs: number;
  /** Clients per second that the other nodes take at least. */
  readonly returnRate: number;
}

/** Moves sessions away evenly over the timeout; the reason of each close says when to come back. */
export async function drain(hub: Hub, clock: Clock, pace: DrainPace): Promise<void> {
  const startedAt = clock.monotonic();
  const total = hub.sessions.size;
  const spreadMs = spreadOf(total, pace);
  let moved = 0;
  for (let open = openSessions(hub); open.length > 0; open = openSessions(hub)) {
    const passedMs = clock.monotonic() - startedAt + STEP_MS;
    const share = Math.min(1, passedMs / Math.max(pace.timeoutMs, STEP_MS));
    const due = Math.ceil(total * share) - moved;
    for (const session of share === 1 ? open : open.slice(0, due)) {
      session.close(CLOSE.drained, returnHint(spreadMs));
      moved += 1;
    }
    await pause(clock, STEP_MS);
  }
  const deadline = clock.monotonic() + GONE_TIMEOUT_MS;
  while (hub.sessions.size > 0 && clock.monotonic() < deadline) await pause(clock, STEP_MS);
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

/** Clients that are moved faster than the other nodes take them come back over more time. */
function spreadOf(sessions: number, { timeoutMs, returnRate }: DrainPace): number {
  return Math.max(RETURN_SPREAD_MS, (sessions / returnRate) * 1000 - timeoutMs);
}

function openSessions(hub: Hub): Session[] {
  return [...hub.sessions].filter((session) => session.open);
}
