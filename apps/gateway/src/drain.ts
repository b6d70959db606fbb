import { CLOSE_TIMEOUT_MS, type Clock, type Hub, returnHint, type Session } from '@leque/core';
import { CLOSE } from '@leque/protocol';

const STEP_MS = 100;
/** Transports cut a client that does not answer the close; this is when that has happened. */
const GONE_TIMEOUT_MS = CLOSE_TIMEOUT_MS + 500;

/** Moves sessions away evenly over the timeout, each with a hint when to come back. */
export async function drain(hub: Hub, clock: Clock, timeoutMs: number): Promise<void> {
  const startedAt = clock.now();
  const total = hub.sessions.size;
  let moved = 0;
  for (let open = openSessions(hub); open.length > 0; open = openSessions(hub)) {
    const share = Math.min(1, (clock.now() - startedAt + STEP_MS) / Math.max(timeoutMs, STEP_MS));
    const due = Math.ceil(total * share) - moved;
    for (const session of share === 1 ? open : open.slice(0, due)) {
      session.close(CLOSE.drained, returnHint());
      moved += 1;
    }
    await pause(clock, STEP_MS);
  }
  const deadline = clock.now() + GONE_TIMEOUT_MS;
  while (hub.sessions.size > 0 && clock.now() < deadline) await pause(clock, STEP_MS);
}

function openSessions(hub: Hub): Session[] {
  return [...hub.sessions].filter((session) => session.open);
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}
