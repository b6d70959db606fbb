export interface Wait {
  /** What is waited for, for the error: `… took more than 5 s`. */
  readonly what: string;
  readonly seconds: number;
  /** Gives the waiting up. */
  readonly signal: AbortSignal;
}

/** The promise's outcome, unless that takes too long, or nobody wants it any more. */
export async function within<T>(promise: Promise<T>, { what, seconds, signal }: Wait): Promise<T> {
  signal.throwIfAborted();
  const gaveUp = Promise.withResolvers<never>();
  const late = () => gaveUp.reject(new Error(`${what} took more than ${seconds} s`));
  const timer = setTimeout(late, seconds * 1000);
  const abort = () => gaveUp.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, gaveUp.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    promise.catch(() => {}); // what it says after that interests nobody
  }
}

/** The same for what has to be disposed of, also when it comes too late for anybody to want it. */
export async function acquiredWithin<T extends AsyncDisposable>(
  promise: Promise<T>,
  wait: Wait,
): Promise<T> {
  try {
    return await within(promise, wait);
  } catch (error) {
    void promise.then(
      (late) => late[Symbol.asyncDispose](),
      () => {},
    );
    throw error;
  }
}
