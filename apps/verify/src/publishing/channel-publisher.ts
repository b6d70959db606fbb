import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@leque/testkit';
import { LedgerWriter } from '../audit/ledger.ts';
import type { Outcome } from './publish-batch.ts';
import type { ChannelLoad } from './publisher-spec.ts';

const MAX_BATCH = 100;
/** A live-only event follows each of these stored ones. */
const LIVE_EVERY = 3;
const POLL_INTERVAL_MS = 10;
const MIN_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 250;

/** Publishes events. @returns the outcome of each, in their order */
export type Post = (events: readonly object[]) => Promise<readonly Outcome[]>;

export interface ChannelPublisherDeps {
  readonly run: string;
  readonly post: Post;
  readonly random: Random;
  readonly refused: (reason: string) => void;
}

/**
 * Publishes the events of one channel, numbered from 1. Events become due at a steady rate. Only
 * one request is in flight, so that events must be stored in the order of their numbers. Failed
 * events are sent again with the same idempotency key until they are acknowledged.
 */
export class ChannelPublisher {
  readonly ledger = new LedgerWriter();
  readonly #spec: ChannelLoad;
  readonly #deps: ChannelPublisherDeps;
  readonly #filling: string;
  #due = 0;
  #giveUpAt: number | undefined;

  constructor(spec: ChannelLoad, deps: ChannelPublisherDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#filling = 'x'.repeat(spec.payloadBytes);
  }

  /** Publishes `count` events now; resolves once they are acknowledged or given up. */
  async publish(count: number, giveUpAfterMs: number): Promise<void> {
    this.#due += count;
    this.#giveUpAt = Date.now() + giveUpAfterMs;
    while (this.ledger.last < this.#due) await this.#sendNext();
    this.#giveUpAt = undefined;
  }

  /** Publishes at the channel's rate until `stop` aborts; then waits for what was sent. */
  async run(stop: AbortSignal, giveUpAfterMs: number): Promise<void> {
    const startedAt = performance.now();
    const before = this.#due;
    stop.addEventListener('abort', () => {
      this.#giveUpAt = Date.now() + giveUpAfterMs;
    });
    while (!stop.aborted) {
      const elapsed = performance.now() - startedAt;
      this.#due = before + Math.floor((elapsed * this.#spec.perSecond) / 1000);
      if (this.ledger.last < this.#due) await this.#sendNext();
      else await delay(POLL_INTERVAL_MS);
    }
    this.#due = this.ledger.last;
    this.#giveUpAt = undefined;
  }

  async #sendNext(): Promise<void> {
    const from = this.ledger.last + 1;
    const count = Math.min(this.#due - this.ledger.last, MAX_BATCH);
    let numbers = Array.from({ length: count }, (_, index) => from + index);
    this.ledger.last += count;
    numbers = await this.#send(numbers, (number) => number % LIVE_EVERY === 0);
    while (numbers.length > 0) {
      for (const number of numbers) this.ledger.retried(number);
      if (this.#giveUpAt !== undefined && Date.now() > this.#giveUpAt) break;
      await delay(this.#deps.random.between(MIN_BACKOFF_MS, MAX_BACKOFF_MS));
      numbers = await this.#send(numbers, () => false);
    }
    for (const number of numbers) this.ledger.givenUp(number);
  }

  /**
   * Sends stored events, and a live-only one behind some of them, which are never sent again.
   * @returns the numbers that need another attempt
   */
  async #send(numbers: readonly number[], hasLive: (number: number) => boolean): Promise<number[]> {
    const sent = numbers.flatMap((number) => [
      { number, event: this.#event(number) },
      ...(hasLive(number) ? [{ number, event: this.#liveEvent(number), isLive: true }] : []),
    ]);
    const outcomes = await this.#deps.post(sent.map(({ event }) => event));
    const open: number[] = [];
    const lives: number[] = [];
    sent.forEach(({ number, isLive }, index) => {
      const outcome = outcomes[index];
      if (!isLive && !this.#take(number, outcome)) open.push(number);
      else if (outcome?.kind === 'live') lives.push(number);
    });
    // A repeated event comes behind live-only events that it should have preceded.
    if (open.length === 0) for (const number of lives) this.ledger.live(number);
    return open;
  }

  /** @returns whether the event needs no further attempt */
  #take(number: number, outcome: Outcome | undefined): boolean {
    if (outcome?.kind === 'stored') this.ledger.stored(outcome.position, number);
    if (outcome?.kind === 'refused') {
      this.#deps.refused(outcome.reason);
      this.ledger.givenUp(number);
    }
    return outcome?.kind === 'stored' || outcome?.kind === 'refused';
  }

  #liveEvent(after: number): object {
    const { run } = this.#deps;
    const { channel } = this.#spec;
    return { type: 'verify.live', channel, live: true, data: { run, after } };
  }

  #event(number: number): object {
    const { run } = this.#deps;
    const { channel } = this.#spec;
    return {
      type: 'verify.event',
      channel,
      data: { run, n: number, filling: this.#filling },
      idempotency_key: `${run}:${channel}:${number}`,
    };
  }
}
