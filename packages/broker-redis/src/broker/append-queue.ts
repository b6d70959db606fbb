import { type Published, systemClock } from '@leque/core';
import type { Event } from '@leque/protocol';
import { writeFailure } from '../connection/redis-errors.ts';
import type { ChannelLog } from './channel-log.ts';

/** One call of this size blocks Redis for less than half a millisecond. */
const EVENTS_PER_CALL = 100;
/** Characters of JSON in one call; a longer event has a call of its own. */
const TEXT_PER_CALL = 262_144;

/** An event, and the caller that waits for its outcome. */
interface PendingAppend {
  readonly event: Event;
  readonly resolve: (published: Published) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * Puts what is published to a channel in one turn of the event loop into one call, which saves
 * publisher and Redis two thirds of the cost of a call each. An event that comes alone does not
 * wait: the turn ends as soon as there is nothing more to read.
 */
export class AppendQueue {
  readonly #log: Pick<ChannelLog, 'append'>;
  #pending = new Map<string, PendingAppend[]>();

  constructor(log: Pick<ChannelLog, 'append'>) {
    this.#log = log;
  }

  /**
   * Stores the events of one channel in the order of these calls.
   * @throws ProtocolError, see `Broker.publish`
   */
  append(event: Event): Promise<Published> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size === 0) systemClock.defer(() => this.#flush());
      const append = { event, resolve, reject };
      const sameChannel = this.#pending.get(event.channel);
      if (sameChannel === undefined) this.#pending.set(event.channel, [append]);
      else sameChannel.push(append);
    });
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = new Map();
    for (const [channel, appends] of pending) {
      for (const call of callsOf(appends)) void this.#send(channel, call);
    }
  }

  async #send(channel: string, appends: readonly PendingAppend[]): Promise<void> {
    try {
      const events = appends.map(({ event }) => event);
      const outcomes = await this.#log.append(channel, events);
      appends.forEach((append, index) => {
        settle(append, outcomes[index]);
      });
    } catch (error) {
      const failure = writeFailure(error);
      for (const { reject } of appends) reject(failure);
    }
  }
}

function settle({ resolve, reject }: PendingAppend, outcome: Published | Error | undefined): void {
  if (outcome === undefined || outcome instanceof Error) reject(writeFailure(outcome));
  else resolve(outcome);
}

function callsOf(appends: readonly PendingAppend[]): Iterable<readonly PendingAppend[]> {
  return isOneCall(appends) ? [appends] : parted(appends);
}

function isOneCall(appends: readonly PendingAppend[]): boolean {
  if (appends.length > EVENTS_PER_CALL) return false;
  let text = 0;
  for (const { event } of appends) text += event.json.length;
  return text <= TEXT_PER_CALL;
}

function* parted(appends: readonly PendingAppend[]): Generator<readonly PendingAppend[]> {
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
