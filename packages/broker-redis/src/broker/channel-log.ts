import {
  type HistoryExtent,
  type HistoryPage,
  MAX_HISTORY_BYTES,
  Publication,
  type Published,
  type Telemetry,
} from '@leque/core';
import type { Event, EventForEach, Position } from '@leque/protocol';
import type { RedisLink } from '../link/redis-link.ts';
import { isJsonObject } from './decode-message.ts';

/** An entry of a channel's stream: `OFFSET-0`, the type and the JSON, and since when it is stored. */
type StreamEntry = [id: string, fields: [type: string, json: string, at?: string, micros?: string]];

interface Reply {
  readonly page: HistoryPage;
  /** The last entry that was read, readable or not; undefined when none was. */
  readonly end: Position | undefined;
}

/** The outcome of one event, see functions/append.lua. */
type AppendResult = number | [id: string, epoch: string, offset: number] | Error;

/** The outcome of one channel, see functions/append.lua. */
type AppendEachResult =
  | [epoch: string, offset: number]
  | [id: string, epoch: string, offset: number]
  | Error;

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
  readonly #telemetry: Telemetry;

  constructor(link: Pick<RedisLink, 'call'>, prefix: string, telemetry: Telemetry) {
    this.#link = link;
    this.#prefix = prefix;
    this.#telemetry = telemetry;
  }

  /**
   * Stores events of one channel in one call, and sends those that are live only between the others. Resolves to the outcome of each, in their order;
   * rejects when no outcome is known.
   */
  async append(channel: string, events: readonly Event[]): Promise<(Published | Error)[]> {
    const args: string[] = [];
    for (const { type, messageId, json, idempotencyKey, live } of events) {
      args.push(type, live ? '' : messageId, json, idempotencyKey ?? '');
    }
    const reply = await this.#call('leque_append', channel, args);
    const [epoch, ...results] = reply as [string, ...AppendResult[]];
    return results.map((result, index) => toPublished(result, epoch, events[index]?.messageId));
  }

  /**
   * Stores one event in channels of one server in one call. Resolves to the outcome of each channel, in
   * their order; rejects when no outcome is known.
   */
  async appendToEach(event: EventForEach): Promise<(Published | Error)[]> {
    const { type, messageId, parts, channels, idempotencyKey = '', live } = event;
    const id = live ? '' : messageId;
    const args = [type, id, idempotencyKey, parts.length, ...parts, ...channels];
    const reply = await this.#call('leque_append_each', channels[0] ?? '', args);
    return (reply as AppendEachResult[]).map((result) => {
      if (result instanceof Error) return result;
      if (result.length === 3) return toPublished(result, '');
      const [epoch, offset] = result;
      return { messageId, position: positionOf(epoch, offset), duplicate: false };
    });
  }

  /** The key of the channel, from which the names of its other keys are made. */
  keyOf(channel: string): string {
    return `${this.#prefix}{${channel}}`;
  }

  /**
   * Returns the top of the channel, even without publications; undefined for a channel that keeps no
   * history. Stores nothing for a channel without publications.
   * @param seen up to where this node has received the channel; when the top is lower, a new epoch begins
   */
  async position(channel: string, seen?: Position): Promise<Position | undefined> {
    const args = seen === undefined ? [] : [seen.epoch, seen.offset];
    const reply = await this.#call('leque_position', channel, args);
    const [epoch, offset] = reply as [string?, number?];
    return positionOf(epoch ?? '', offset ?? 0);
  }

  /** See `Broker.history`. What is not JSON is left out, because no client could read it. */
  async history(
    channel: string,
    after: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    const mode = after === undefined ? 'newest' : 'all';
    return (await this.#read(mode, { channel, after, extent })).page;
  }

  /**
   * Reads what follows `after`, from its beginning. A page is empty only when nothing readable follows.
   */
  page(channel: string, after: Position, extent: HistoryExtent = PAGE): Promise<HistoryPage> {
    return this.#page('page', { channel, after, extent });
  }

  /** Reads a page for a node that has received the channel until a moment ago. */
  rest(channel: string, after: Position): Promise<HistoryPage> {
    return this.#page('rest', { channel, after, extent: PAGE });
  }

  async #page(mode: 'page' | 'rest', query: HistoryQuery): Promise<HistoryPage> {
    for (let { after } = query; ; ) {
      const { page, end } = await this.#read(mode, { ...query, after });
      if (page.publications.length > 0 || end === undefined) return page;
      after = end;
    }
  }

  async #read(mode: 'all' | 'page' | 'rest' | 'newest', query: HistoryQuery): Promise<Reply> {
    const { channel, after, extent } = query;
    const { publications: limit, bytes } = extent;
    const args = [mode, after?.epoch ?? '', after?.offset ?? 0, limit, bytes];
    const reply = await this.#call('leque_history', channel, args);
    const [epoch, top, outcome, entries] = reply as [string, number, number, StreamEntry[]];
    const last = entries.at(-1);
    const page = {
      position: positionOf(epoch, top),
      publications: entries
        .filter((entry) => this.#isReadable(channel, entry))
        .map((entry) => toPublication(channel, epoch, entry)),
      complete: outcome === 1,
      ...(outcome === -1 && { tooLarge: true }),
    };
    return { page, end: last && { epoch, offset: offsetOf(last) } };
  }

  #isReadable(channel: string, [, [, json]]: StreamEntry): boolean {
    if (isJsonObject(json)) return true;
    this.#telemetry.report({ type: 'event_dropped', channel, detail: 'not JSON' });
    return false;
  }

  #call(name: string, channel: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#link.call(name, this.keyOf(channel), args);
  }
}

function toPublished(result: AppendResult, epoch: string, messageId = ''): Published | Error {
  if (result instanceof Error) return result;
  if (typeof result === 'number') {
    const position = result === 0 ? undefined : positionOf(epoch, result);
    return { messageId, position, duplicate: false };
  }
  const [firstId, firstEpoch, offset] = result;
  return { messageId: firstId, position: positionOf(firstEpoch, offset), duplicate: true };
}

function positionOf(epoch: string, offset: number): Position | undefined {
  return epoch === '' ? undefined : { epoch, offset };
}

function offsetOf([id]: StreamEntry): number {
  return Number.parseInt(id, 10);
}

function toPublication(channel: string, epoch: string, entry: StreamEntry): Publication {
  const [, [type, json, , micros]] = entry;
  const position = { epoch, offset: offsetOf(entry) };
  const storedAt = micros === undefined ? undefined : Number(micros);
  return new Publication({ channel, type, position, json, storedAt });
}
