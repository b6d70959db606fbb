import { type HistoryPage, MAX_HISTORY_BYTES, Publication, type Published } from '@leque/core';
import type { Event, Position } from '@leque/protocol';
import type { FunctionLibrary } from './function-library.ts';

/** An entry of a channel's stream: `OFFSET-0`, then the type and the JSON. */
type Entry = [id: string, fields: [type: string, json: string]];

interface Asked {
  readonly channel: string;
  readonly after: Position | undefined;
  readonly limit: number;
}

/** Publications that Redis gives at a time. */
const PAGE = 1000;

/** What Redis keeps of the channels, through Leque's functions. */
export class ChannelLog {
  readonly #library: FunctionLibrary;
  readonly #prefix: string;

  constructor(library: FunctionLibrary, prefix: string) {
    this.#library = library;
    this.#prefix = prefix;
  }

  async append(event: Event): Promise<Published> {
    const { channel, type, messageId, json, idempotencyKey } = event;
    const key = idempotencyKey === undefined ? [] : [idempotencyKey];
    const reply = await this.#call('leque_append', channel, [type, messageId, json, ...key]);
    const [id, epoch, offset, duplicate] = reply as [string, string, number, number];
    return {
      messageId: id,
      position: positionOf(epoch, offset),
      duplicate: duplicate === 1,
    };
  }

  /** Begins the channel's history if there is none; undefined where none is kept. */
  async position(channel: string): Promise<Position | undefined> {
    const reply = await this.#call('leque_position', channel, []);
    const [epoch, offset] = reply as [string?, number?];
    return positionOf(epoch ?? '', offset ?? 0);
  }

  /** See `Broker.history`. */
  history(channel: string, after: Position | undefined, limit: number): Promise<HistoryPage> {
    return this.#read(after === undefined ? 'newest' : 'all', { channel, after, limit });
  }

  /** What follows `after`, from its beginning; not all of it, if it is long. */
  page(channel: string, after: Position): Promise<HistoryPage> {
    return this.#read('page', { channel, after, limit: PAGE });
  }

  async #read(mode: 'all' | 'page' | 'newest', asked: Asked): Promise<HistoryPage> {
    const { channel, after, limit } = asked;
    const args = [mode, after?.epoch ?? '', after?.offset ?? 0, limit, MAX_HISTORY_BYTES];
    const reply = await this.#call('leque_history', channel, args);
    const [epoch, top, complete, entries] = reply as [string, number, number, Entry[]];
    return {
      position: positionOf(epoch, top),
      publications: entries.map((entry) => toPublication(channel, epoch, entry)),
      complete: complete === 1,
    };
  }

  #call(name: string, channel: string, args: (string | number)[]): Promise<unknown> {
    return this.#library.call(name, `${this.#prefix}{${channel}}`, args);
  }
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
