import { type Published, systemClock } from '@leque/core';
import { type Event, MAX_EVENT_BYTES } from '@leque/protocol';
import { writeFailure } from '../connection/redis-errors.ts';

/** Redis serves nobody else during a call: this is less than half a millisecond of it. */
const EVENTS_PER_CALL = 100;
/** A call with more text than this has no other event in it. */
const TEXT_PER_CALL = MAX_EVENT_BYTES;

/**
 * Stores events of one channel in one call. Resolves to what became of each, in their order;
 * rejects when that is not known of any.
 */
export type AppendAll = (
  channel: string,
  events: readonly Event[],
) => Promise<readonly (Published | Error)[]>;

/** An event, and those who wait for it. */
interface Append {
  readonly event: Event;
  readonly resolve: (published: Published) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Makes one call of what is published to a channel in one turn of the event loop, which costs
 * publisher and Redis a third of a call for each. An event that comes alone does not wait: the turn
 * ends as soon as there is nothing more to read.
 */
export class AppendQueue {
  readonly #appendAll: AppendAll;
  #waiting = new Map<string, Append[]>();

  constructor(appendAll: AppendAll) {
    this.#appendAll = appendAll;
  }

  /**
   * Events of one channel are stored in the order of these calls.
   * @throws ProtocolError, see `Broker.publish`
   */
  append(event: Event): Promise<Published> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.size === 0) systemClock.defer(() => this.#flush());
      const append = { event, resolve, reject };
      const sameChannel = this.#waiting.get(event.channel);
      if (sameChannel === undefined) this.#waiting.set(event.channel, [append]);
      else sameChannel.push(append);
    });
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [channel, appends] of waiting) {
      for (const call of callsOf(appends)) void this.#send(channel, call);
    }
  }

  async #send(channel: string, appends: readonly Append[]): Promise<void> {
    try {
      const events = appends.map(({ event }) => event);
      const outcomes = await this.#appendAll(channel, events);
      for (const [index, append] of appends.entries()) settle(append, outcomes[index]);
    } catch (error) {
      const failure = writeFailure(error);
      for (const { reject } of appends) reject(failure);
    }
  }
}

function settle({ resolve, reject }: Append, outcome: Published | Error | undefined): void {
  if (outcome === undefined || outcome instanceof Error) reject(writeFailure(outcome));
  else resolve(outcome);
}

function* callsOf(appends: readonly Append[]): Generator<readonly Append[]> {
  let start = 0;
  let text = 0;
  for (const [index, { event }] of appends.entries()) {
    const fits = index - start < EVENTS_PER_CALL && text + event.json.length <= TEXT_PER_CALL;
    if (!fits && index > start) {
      yield appends.slice(start, index);
      start = index;
      text = 0;
    }
    text += event.json.length;
  }
  yield start === 0 ? appends : appends.slice(start);
}
