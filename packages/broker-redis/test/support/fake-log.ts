import { type HistoryPage, Publication } from '@leque/core';
import type { Position } from '@leque/protocol';

export const CHANNEL = 'project:P';
/** A small page, so that longer gaps take several. */
const PAGE = 3;

/** The log of a channel that can lose publications and fail to answer. */
export class FakeLog {
  epoch = 'e0';
  top = 0;
  /** The oldest kept offset. */
  oldest = 1;
  failing = false;
  reads = 0;
  /** Set to make the next answers wait. */
  gate: Promise<void> = Promise.resolve();
  #former: string | undefined;

  append(): Buffer {
    this.top += 1;
    return payload({ epoch: this.epoch, offset: this.top });
  }

  /** Begins a new epoch, as a restart without a loss does. */
  rename(epoch: string): void {
    this.#former = this.epoch;
    this.epoch = epoch;
  }

  startEpoch(epoch: string): void {
    this.#former = undefined;
    this.epoch = epoch;
    this.top = 0;
    this.oldest = 1;
  }

  async position(): Promise<Position> {
    await this.#answer();
    return { epoch: this.epoch, offset: this.top };
  }

  async rest(_: string, after: Position): Promise<HistoryPage> {
    await this.#answer();
    const position = { epoch: this.epoch, offset: this.top };
    const from = after.offset + 1;
    const known = [this.epoch, this.#former].includes(after.epoch);
    const complete = known && from <= this.top + 1 && from >= this.oldest;
    const publications: Publication[] = [];
    const last = Math.min(this.top, after.offset + PAGE);
    for (let offset = from; complete && offset <= last; offset += 1) {
      publications.push(publicationAt({ epoch: this.epoch, offset }));
    }
    return { position, publications, complete };
  }

  async #answer(): Promise<void> {
    this.reads += 1;
    await this.gate;
    if (this.failing) throw new Error('Redis is away');
  }
}

function publicationAt(position: Position): Publication {
  return new Publication({ channel: CHANNEL, type: 'x', position, json: '{"type":"x"}' });
}

/** Encodes a publication the way nodes send it to each other. */
export function payload({ epoch, offset }: Position): Buffer {
  return Buffer.from(`1 ${epoch} ${offset} x ${CHANNEL}\n{"type":"x"}`);
}
