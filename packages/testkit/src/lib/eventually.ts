import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL_MS = 50;
const TIMEOUT_MS = 30_000;

/**
 * Repeats an attempt until it returns a value, and returns that. Attempts that throw are repeated,
 * too.
 * @param what the awaited condition, for the error after half a minute
 */
export async function eventually<T>(
  what: string,
  attempt: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + TIMEOUT_MS;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await attempt();
      if (answer !== undefined) return answer;
    } catch (error) {
      cause = error;
    }
    await delay(INTERVAL_MS);
  }
  throw new Error(`Timed out after ${TIMEOUT_MS / 1000} s, waiting until ${what}`, { cause });
}
