export interface Wait {
  /** The awaited thing, as the subject of the error `… took more than 5 s`. */
  readonly what: string;
  readonly seconds: number;
  /** Aborts the wait. */
  readonly signal: AbortSignal;
}

/** Settles like the promise; rejects when the deadline passes or the signal aborts. */
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
    promise.catch(() => {}); // a late rejection is of no interest
  }
}

/** Like `within`, and disposes of a resource that arrives too late. */
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
