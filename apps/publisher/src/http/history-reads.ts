import { ConcurrencyLimit } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import type { Bucket } from './rate-limits.ts';

/** Reads of one caller that run at once; the others of the caller wait for these. */
const PER_CALLER = 2;
const WAITING_PER_CALLER = 32;
/** Waiting reads of all callers. */
const WAITING = 512;

export interface ReadRequest<T> {
  readonly bucket: Bucket | null;
  readonly read: () => Promise<T>;
  /** Called when the read's turn comes; it is left out when nobody waits for it any longer. */
  readonly isWanted: () => boolean;
}

/**
 * Runs few reads of histories at a time, because each may have a megabyte, and encoding it keeps
 * publishers waiting. A caller with many reads waits for its own.
 */
export class HistoryReads {
  readonly #all: ConcurrencyLimit;
  readonly #callers = new Map<string, { limit: ConcurrencyLimit; reads: number }>();

  /** @param running reads of all callers that run at once */
  constructor(running: number) {
    this.#all = new ConcurrencyLimit({ running, waiting: WAITING });
  }

  /** @throws ProtocolError `rate_limited` for too many reads of one caller, `unavailable` of all */
  async run<T>({ bucket, read, isWanted }: ReadRequest<T>): Promise<T> {
    const id = bucket === null ? '' : `${bucket.kind}:${bucket.id}`;
    const caller = this.#callers.get(id) ?? { limit: newLimit(), reads: 0 };
    if (caller.reads >= PER_CALLER + WAITING_PER_CALLER) {
      throw new ProtocolError('rate_limited', 'too many reads of histories at once');
    }
    caller.reads += 1;
    this.#callers.set(id, caller);
    try {
      return await caller.limit.run(() => this.#all.run(read, isWanted), isWanted);
    } finally {
      caller.reads -= 1;
      if (caller.reads === 0) this.#callers.delete(id);
    }
  }
}

function newLimit(): ConcurrencyLimit {
  return new ConcurrencyLimit({ running: PER_CALLER, waiting: WAITING_PER_CALLER });
}
