import type { Deadline, Published } from '@leque/core';
import { type EventForEach, eventIn, ProtocolError } from '@leque/protocol';
import { redirectionOf, writeFailure } from '../connection/redis-errors.ts';
import { chunksOf } from '../lib/chunks-of.ts';
import type { RedisLink } from '../link/redis-link.ts';
import type { ChannelLog } from './channel-log.ts';

/** One call of this size blocks Redis for less than a millisecond. */
const CHANNELS_PER_CALL = 32;
/** Characters that one call stores; a longer event is stored in one channel per call. */
const TEXT_PER_CALL = 262_144;

export interface AppendToEachDeps {
  readonly link: Pick<RedisLink, 'groupByServer'>;
  readonly log: Pick<ChannelLog, 'append' | 'appendToEach' | 'keyOf'>;
}

/** A channel, and the caller that waits for its outcome. */
interface PendingChannel {
  readonly channel: string;
  readonly outcome: PromiseWithResolvers<Published>;
}

interface Sending {
  readonly event: EventForEach;
  readonly deadline: Pick<Deadline, 'expired'>;
  /** A call had no answer, so that those after it are not sent. */
  failed: boolean;
}

/** Stores one event in many channels, with few calls to each server of Redis. */
export class AppendToEach {
  readonly #deps: AppendToEachDeps;

  constructor(deps: AppendToEachDeps) {
    this.#deps = deps;
  }

  /** See `Broker.publishToEach`. */
  publish(event: EventForEach, deadline: Pick<Deadline, 'expired'>): readonly Promise<Published>[] {
    const { link, log } = this.#deps;
    const pending = event.channels.map((channel) => ({
      channel,
      outcome: Promise.withResolvers<Published>(),
    }));
    for (const group of link.groupByServer(pending, ({ channel }) => log.keyOf(channel))) {
      const calls = chunksOf(group, channelsPerCall(event));
      void this.#sendAll(calls, { event, deadline, failed: false });
    }
    return pending.map(({ outcome }) => outcome.promise);
  }

  /**
   * Sends the calls to one server one after the other. With several under way, the commands of other
   * requests would wait behind them.
   */
  async #sendAll(calls: Iterable<PendingChannel[]>, sending: Sending): Promise<void> {
    for (const call of calls) {
      if (sending.failed || sending.deadline.expired) rejectAll(call, notSent());
      else await this.#send(call, sending);
    }
  }

  async #send(call: readonly PendingChannel[], sending: Sending): Promise<void> {
    const channels = call.map(({ channel }) => channel);
    try {
      const results = await this.#deps.log.appendToEach({ ...sending.event, channels });
      await Promise.all(
        call.map((each, index) => this.#settle(each, results[index], sending.event)),
      );
    } catch (error) {
      sending.failed = true;
      rejectAll(call, writeFailure(error));
    }
  }

  async #settle(
    { channel, outcome }: PendingChannel,
    result: Published | Error | undefined,
    event: EventForEach,
  ): Promise<void> {
    const settled =
      redirectionOf(result) === undefined ? result : await this.#appendAlone(event, channel);
    if (settled === undefined || settled instanceof Error) outcome.reject(writeFailure(settled));
    else outcome.resolve(settled);
  }

  /** A channel that is moving to another server is followed there by a call of its own. */
  async #appendAlone(event: EventForEach, channel: string): Promise<Published | Error | undefined> {
    try {
      const [result] = await this.#deps.log.append(channel, [eventIn(event, channel)]);
      return result;
    } catch (error) {
      return writeFailure(error);
    }
  }
}

function channelsPerCall({ parts }: EventForEach): number {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Math.max(1, Math.min(CHANNELS_PER_CALL, Math.floor(TEXT_PER_CALL / length)));
}

function rejectAll(call: readonly PendingChannel[], reason: Error): void {
  for (const { outcome } of call) outcome.reject(reason);
}

function notSent(): ProtocolError {
  const detail = 'Redis did not take all channels in time, and this one was not sent; try again';
  return new ProtocolError('unavailable', detail);
}
