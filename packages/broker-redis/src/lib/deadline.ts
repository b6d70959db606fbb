import { type Clock, systemClock } from '@leque/core';

/** Below a second, so that who waits for Redis gets an answer within one (DESIGN §8). */
export const COMMAND_DEADLINE_MS = 800;

/** Somebody did not answer in time; what was asked of them may still happen. */
class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Stops waiting after `ms`, whatever becomes of the promise. An answer that has arrived while this
 * process was busy still counts: timers come before what the sockets have to say.
 */
export async function withDeadline<T>(promise: Promise<T>, ms: number, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = systemClock.after(ms, () => {
    systemClock.defer(() => reject(new DeadlineError(`${what} took longer than ${ms} ms`)));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    cancel();
  }
}

/** A pause that its owner can end early. */
export class Pause {
  readonly #clock: Clock;
  #end: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async wait(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#clock.after(ms, resolve);
    this.#end = resolve;
    await promise;
    cancel();
  }

  end(): void {
    this.#end?.();
  }
}
