import { setTimeout as delay } from 'node:timers/promises';

const INTERVAL_MS = 50;
const TIMEOUT_MS = 30_000;

/**
 * What an attempt answers, as soon as it answers something; attempts that throw are repeated too.
 * @param what said in the error when half a minute was not enough
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
  throw new Error(`In ${TIMEOUT_MS / 1000} s it did not come about that ${what}`, { cause });
}
