import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { nowUs } from './clock.ts';
import type { LoadSpec } from './read-spec.ts';
import { TextCounter } from './text-counter.ts';

const PERIOD_MS = 1;
const PATIENCE_US = 10_000_000;
const ACK_PATIENCE_US = 5_000_000;
const LONGEST_WRITE = 1000;

export interface Schedule {
  /** Per class: publications/s. */
  readonly rates: readonly number[];
  readonly startUs: number;
  readonly stopUs: number;
}

interface Due {
  readonly class: number;
  readonly atUs: number;
}

/** Publishes what is due, on one connection, without waiting for answers. */
export class PacedPublisher {
  /** Per channel, in this run. */
  readonly published: number[];
  readonly publishedByClass: number[];
  total = 0;
  acked = 0;
  errors = 0;
  lateUsMax = 0;
  readonly #spec: LoadSpec;
  readonly #schedule: Schedule;
  readonly #numbers: number[];

  /** @param numbers per channel: that of the last publication; counts on over the runs */
  constructor(spec: LoadSpec, schedule: Schedule, numbers: number[]) {
    this.#spec = spec;
    this.#schedule = schedule;
    this.#numbers = numbers;
    this.published = spec.templates.map(() => 0);
    this.publishedByClass = spec.classes.map(() => 0);
  }

  /** Resolves when everything is written and answered, or will not be. */
  async run(): Promise<void> {
    const socket = await this.#connect();
    try {
      await this.#followSchedule(socket);
      await this.#awaitAcks();
    } finally {
      socket.destroy();
    }
  }

  async #connect(): Promise<Socket> {
    const { address, preamble, error, ack = '' } = this.#spec.publishing;
    const [host = '', port = ''] = address.split(':');
    const socket = connect({ host, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    socket.on('error', () => {
      this.errors += 1; // what is not written shows as lost
    });
    const acks = new TextCounter(ack);
    const errors = new TextCounter(error);
    socket.on('data', (chunk) => {
      this.acked += acks.count(chunk);
      this.errors += errors.count(chunk);
    });
    if (preamble !== undefined) socket.write(preamble);
    return socket;
  }

  async #followSchedule(socket: Socket): Promise<void> {
    const { stopUs } = this.#schedule;
    for (;;) {
      const now = nowUs();
      if (!socket.writableNeedDrain) this.#writeDue(socket, now);
      if (this.#next().atUs >= stopUs && socket.writableLength === 0) return;
      if (socket.destroyed || now > stopUs + PATIENCE_US) break;
      await delay(PERIOD_MS);
    }
    this.errors += 1;
  }

  #writeDue(socket: Socket, now: number): void {
    const publications: Buffer[] = [];
    let due = this.#next();
    const oldest = due.atUs;
    while (due.atUs <= now && due.atUs < this.#schedule.stopUs) {
      publications.push(this.#publication(due));
      if (publications.length === LONGEST_WRITE) break;
      due = this.#next();
    }
    if (publications.length === 0) return;
    socket.write(Buffer.concat(publications), () => {
      this.lateUsMax = Math.max(this.lateUsMax, nowUs() - oldest);
    });
  }

  /** The class whose publication is due first. */
  #next(): Due {
    const dues = this.#schedule.rates.map((rate, index) => ({
      class: index,
      atUs: this.#due(index, rate),
    }));
    return dues.reduce((first, due) => (due.atUs < first.atUs ? due : first));
  }

  #due(index: number, rate: number): number {
    if (rate === 0) return Number.POSITIVE_INFINITY;
    const sent = this.publishedByClass[index] ?? 0;
    return Math.floor(this.#schedule.startUs + (sent * 1e6) / rate);
  }

  #publication(due: Due): Buffer {
    const { first, last } = this.#spec.classes[due.class] ?? { first: 0, last: 0 };
    const sent = this.publishedByClass[due.class] ?? 0;
    const channel = first + (sent % (last - first + 1));
    this.publishedByClass[due.class] = sent + 1;
    this.published[channel] = (this.published[channel] ?? 0) + 1;
    this.total += 1;
    return this.#fillIn(channel, due.atUs);
  }

  #fillIn(channel: number, atUs: number): Buffer {
    const template = this.#spec.templates[channel];
    if (template === undefined) throw new Error(`no publication for channel ${channel}`);
    const number = (this.#numbers[channel] ?? 0) + 1;
    this.#numbers[channel] = number;
    const bytes = Buffer.from(template.bytes);
    bytes.write(String(atUs).padStart(16, '0'), template.timeAt, 'latin1');
    bytes.write(String(number).padStart(10, '0'), template.numberAt, 'latin1');
    return bytes;
  }

  async #awaitAcks(): Promise<void> {
    const { ack = '' } = this.#spec.publishing;
    const deadline = nowUs() + ACK_PATIENCE_US;
    while (ack !== '' && this.acked + this.errors < this.total && nowUs() < deadline) {
      await delay(PERIOD_MS);
    }
  }
}
