import {
  type HistoryExtent,
  type HistoryPage,
  MAX_HISTORY_BYTES,
  Publication,
  type Published,
} from '@leque/core';
import type { Event, Position } from '@leque/protocol';
import type { RedisLink } from '../link/redis-link.ts';

/** An entry of a channel's stream: `OFFSET-0`, then the type and the JSON. */
type StreamEntry = [id: string, fields: [type: string, json: string]];

/** The outcome of one event, see functions/append.lua. */
type AppendResult = number | [id: string, epoch: string, offset: number] | Error;

interface HistoryQuery {
  readonly channel: string;
  readonly after: Position | undefined;
  readonly extent: HistoryExtent;
}

/** The largest page that one call reads. */
const PAGE: HistoryExtent = { publications: 1000, bytes: MAX_HISTORY_BYTES };

/** Reads and writes the histories of the channels by Leque's functions. */
export class ChannelLog {
  readonly #link: Pick<RedisLink, 'call'>;
  readonly #prefix: string;

  constructor(link: Pick<RedisLink, 'call'>, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
  }

  /**
   * Stores events of one channel in one call. Resolves to the outcome of each, in their order;
   * rejects when no outcome is known.
   */
  async append(channel: string, events: readonly Event[]): Promise<(Published | Error)[]> {
    const args: string[] = [];
    for (const { type, messageId, json, idempotencyKey } of events) {
      args.push(type, messageId, json, idempotencyKey ?? '');
    }
    const reply = await this.#call('leque_append', channel, args);
    const [epoch, ...results] = reply as [string, ...AppendResult[]];
    return results.map((result, index) => toPublished(result, epoch, events[index]?.messageId));
  }

  /** Begins the history if there is none; resolves to undefined for a channel that keeps none. */
  async position(channel: string): Promise<Position | undefined> {
    const reply = await this.#call('leque_position', channel, []);
    const [epoch, offset] = reply as [string?, number?];
    return positionOf(epoch ?? '', offset ?? 0);
  }

  /** See `Broker.history`. */
  history(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    return this.#read(after === undefined ? 'newest' : 'all', { channel, after, extent });
  }

  /** Reads what follows `after`, from its beginning, and at most `PAGE` of it. */
  page(channel: string, after: Position): Promise<HistoryPage> {
    return this.#read('page', { channel, after, extent: PAGE });
  }

  async #read(mode: 'all' | 'page' | 'newest', query: HistoryQuery): Promise<HistoryPage> {
    const { channel, after, extent } = query;
    const { publications: limit, bytes } = extent;
    const args = [mode, after?.epoch ?? '', after?.offset ?? 0, limit, bytes];
    const reply = await this.#call('leque_history', channel, args);
    const [epoch, top, outcome, entries] = reply as [string, number, number, StreamEntry[]];
    return {
      position: positionOf(epoch, top),
      publications: entries.map((entry) => toPublication(channel, epoch, entry)),
      complete: outcome === 1,
      ...(outcome === -1 && { readAndRejected: true }),
    };
  }

  #call(name: string, channel: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#link.call(name, `${this.#prefix}{${channel}}`, args);
  }
}

function toPublished(result: AppendResult, epoch: string, messageId = ''): Published | Error {
  if (result instanceof Error) return result;
  if (typeof result === 'number') {
    return { messageId, position: positionOf(epoch, result), duplicate: false };
  }
  const [firstId, firstEpoch, offset] = result;
  return { messageId: firstId, position: positionOf(firstEpoch, offset), duplicate: true };
}

function positionOf(epoch: string, offset: number): Position | undefined {
  return epoch === '' ? undefined : { epoch, offset };
}

function toPublication(
  channel: string,
  epoch: string,
  [id, [type, json]]: StreamEntry,
): Publication {
  return new Publication({
    channel,
    type,
    position: { epoch, offset: Number.parseInt(id, 10) },
    json,
  });
}
