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
/** Transports cut a client that does not answer the close; this is when that has happened. */
const GONE_TIMEOUT_MS = CLOSE_TIMEOUT_MS + 500;

export interface DrainPace {
  /** Over which sessions are moved away. */
  readonly timeoutMs: number;
  /** Clients in a second that the other nodes take at least. */
  readonly returnRate: number;
}

/** Moves sessions away evenly over the timeout, each with a hint when to come back. */
export async function drain(hub: Hub, clock: Clock, pace: DrainPace): Promise<void> {
  const startedAt = clock.now();
  const total = hub.sessions.size;
  const spreadMs = spreadOf(total, pace);
  let moved = 0;
  for (let open = openSessions(hub); open.length > 0; open = openSessions(hub)) {
    const passedMs = clock.now() - startedAt + STEP_MS;
    const share = Math.min(1, passedMs / Math.max(pace.timeoutMs, STEP_MS));
    const due = Math.ceil(total * share) - moved;
    for (const session of share === 1 ? open : open.slice(0, due)) {
      session.close(CLOSE.drained, returnHint(spreadMs));
      moved += 1;
    }
    await pause(clock, STEP_MS);
  }
  const deadline = clock.now() + GONE_TIMEOUT_MS;
  while (hub.sessions.size > 0 && clock.now() < deadline) await pause(clock, STEP_MS);
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

/** Who is moved faster than the others take them comes back over as much more time. */
function spreadOf(sessions: number, { timeoutMs, returnRate }: DrainPace): number {
  return Math.max(RETURN_SPREAD_MS, (sessions / returnRate) * 1000 - timeoutMs);
}

function openSessions(hub: Hub): Session[] {
  return [...hub.sessions].filter((session) => session.open);
}
