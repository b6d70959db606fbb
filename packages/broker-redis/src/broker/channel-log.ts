import {
  type HistoryExtent,
  type HistoryPage,
  MAX_HISTORY_BYTES,
  Publication,
  type Published,
} from '@leque/core';
import type { Event, Position } from '@leque/protocol';
import type { RedisLink } from '../link/redis-link.ts';
import { AppendQueue } from './append-queue.ts';

/** An entry of a channel's stream: `OFFSET-0`, then the type and the JSON. */
type Entry = [id: string, fields: [type: string, json: string]];

/** What became of an event, see functions/append.lua. */
type Appended = number | [id: string, epoch: string, offset: number] | Error;

interface Asked {
  readonly channel: string;
  readonly after: Position | undefined;
  readonly extent: HistoryExtent;
}

/** What Redis gives at a time. */
const PAGE: HistoryExtent = { publications: 1000, bytes: MAX_HISTORY_BYTES };

/** What Redis keeps of the channels, through Leque's functions. */
export class ChannelLog {
  readonly #link: Pick<RedisLink, 'call'>;
  readonly #prefix: string;
  readonly #appends: AppendQueue;

  constructor(link: Pick<RedisLink, 'call'>, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
    this.#appends = new AppendQueue((channel, events) => this.#appendAll(channel, events));
  }

  /** @throws ProtocolError, see `Broker.publish` */
  append(event: Event): Promise<Published> {
    return this.#appends.append(event);
  }

  /** Begins the channel's history if there is none; undefined where none is kept. */
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

  /** What follows `after`, from its beginning; not all of it, if it is long. */
  page(channel: string, after: Position): Promise<HistoryPage> {
    return this.#read('page', { channel, after, extent: PAGE });
  }

  async #read(mode: 'all' | 'page' | 'newest', asked: Asked): Promise<HistoryPage> {
    const { channel, after, extent } = asked;
    const { publications: limit, bytes } = extent;
    const args = [mode, after?.epoch ?? '', after?.offset ?? 0, limit, bytes];
    const reply = await this.#call('leque_history', channel, args);
    const [epoch, top, outcome, entries] = reply as [string, number, number, Entry[]];
    return {
      position: positionOf(epoch, top),
      publications: entries.map((entry) => toPublication(channel, epoch, entry)),
      complete: outcome === 1,
      ...(outcome === -1 && { readAndRejected: true }),
    };
  }

  async #appendAll(channel: string, events: readonly Event[]): Promise<(Published | Error)[]> {
    const args: string[] = [];
    for (const { type, messageId, json, idempotencyKey } of events) {
      args.push(type, messageId, json, idempotencyKey ?? '');
    }
    const reply = await this.#call('leque_append', channel, args);
    const [epoch, ...results] = reply as [string, ...Appended[]];
    return results.map((result, index) => toPublished(result, epoch, events[index]?.messageId));
  }

  #call(name: string, channel: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#link.call(name, `${this.#prefix}{${channel}}`, args);
  }
}

function toPublished(result: Appended, epoch: string, messageId = ''): Published | Error {
  if (result instanceof Error) return result;
  if (typeof result === 'number') {
    return { messageId, position: positionOf(epoch, result), duplicate: false };
  }
  const [first, itsEpoch, offset] = result;
  return { messageId: first, position: positionOf(itsEpoch, offset), duplicate: true };
}

function positionOf(epoch: string, offset: number): Position | undefined {
  return epoch === '' ? undefined : { epoch, offset };
}

function toPublication(channel: string, epoch: string, [id, [type, json]]: Entry): Publication {
  return new Publication({
    channel,
    type,
    position: { epoch, offset: Number.parseInt(id, 10) },
    json,
  });
}
