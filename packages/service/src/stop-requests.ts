/** A supervisor such as npm forwards a signal that the terminal has sent to the whole group. */
const SAME_REQUEST_MS = 500;
const PARENT_LOOK_MS = 1000;
const PARENT = process.ppid;
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface StopHandlers {
  /** Called at the first request, and again at a repetition of it within 500 ms. */
  stop(): void;
  /** Called at every later signal. */
  stopNow(): void;
}

/**
 * Calls the handlers when somebody wants this process to end: by SIGINT, by SIGTERM, or, when npm
 * has started it, by the end of its parent, which npm or a shell may die of without forwarding a
 * signal. Disposing of the result stops listening.
 */
export function watchStopRequests(handlers: StopHandlers, startedByNpm: boolean): Disposable {
  let requestedAt: number | undefined;
  const onSignal = () => {
    requestedAt ??= performance.now();
    if (performance.now() - requestedAt > SAME_REQUEST_MS) handlers.stopNow();
    else handlers.stop();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const parentWatch = startedByNpm ? watchParent(() => handlers.stop()) : undefined;
  return {
    [Symbol.dispose]() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
      clearInterval(parentWatch);
    },
  };
}

/** Whether the process that has started this one has ended. */
export function isOrphan(): boolean {
  return process.ppid !== PARENT;
}

function watchParent(onGone: () => void): NodeJS.Timeout {
  const timer = setInterval(() => {
    if (!isOrphan()) return;
    clearInterval(timer);
    onGone();
  }, PARENT_LOOK_MS);
  return timer.unref();
}
