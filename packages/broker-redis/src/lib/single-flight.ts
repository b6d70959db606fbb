import type { Clock } from '@leque/core';

/** Shares one answer among all who ask within `keepMs` of the first; failures are not kept. */
export function singleFlight<T>(
  ask: () => Promise<T>,
  keepMs: number,
  clock: Clock,
): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let askedAt = 0;
  return () => {
    if (answer !== undefined && clock.monotonic() - askedAt < keepMs) return answer;
    askedAt = clock.monotonic();
    const asked = ask();
    answer = asked;
    asked.catch(() => {
      if (answer === asked) answer = undefined;
    });
    return asked;
  };
}
