import { Random } from '@leque/testkit';
import { ChannelPublisher, type Post } from './channel-publisher.ts';
import { publishBatch } from './publish-batch.ts';
import type { PublisherSpec, PublishResult } from './publisher-spec.ts';

const MAX_REPORTED = 5;

/** Publishes in all channels concurrently, and keeps the outcomes. */
export class Publisher {
  readonly #spec: PublisherSpec;
  readonly #channels: ReadonlyMap<string, ChannelPublisher>;
  readonly #failures: Record<string, number> = {};
  readonly #refused: string[] = [];
  #slowestRefusalMs = 0;
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(spec: PublisherSpec) {
    this.#spec = spec;
    const random = new Random(spec.seed);
    const refused = (reason: string) => {
      if (this.#refused.length < MAX_REPORTED) this.#refused.push(reason);
    };
    const channels = spec.channels.map((channelLoad, index): [string, ChannelPublisher] => [
      channelLoad.channel,
      new ChannelPublisher(channelLoad, {
        run: spec.run,
        post: this.#postFrom(index),
        random,
        refused,
      }),
    ]);
    this.#channels = new Map(channels);
  }

  /** Publishes `count` events in each channel now. */
  async publish(count: number, giveUpAfterMs: number): Promise<void> {
    await Promise.all(
      [...this.#channels.values()].map((channelLoad) => channelLoad.publish(count, giveUpAfterMs)),
    );
  }

  /** Publishes until `stop`; unacknowledged events are then retried for `giveUpAfterMs`. */
  start(giveUpAfterMs: number): void {
    const { signal } = this.#stop;
    const running = [...this.#channels.values()].map((channelLoad) =>
      channelLoad.run(signal, giveUpAfterMs),
    );
    this.#running = Promise.all(running);
    this.#running.catch(() => {}); // `stop` reports the failure
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#stop = new AbortController();
  }

  /** The highest acknowledged number of each channel. */
  acknowledged(): Record<string, number> {
    const channels = [...this.#channels];
    return Object.fromEntries(
      channels.map(([channel, { ledger }]) => [channel, ledger.acknowledged]),
    );
  }

  result(): PublishResult {
    const ledgers = [...this.#channels].map(([channel, { ledger }]) => [channel, ledger.read()]);
    return {
      ledgers: Object.fromEntries(ledgers),
      failures: this.#failures,
      slowestRefusalMs: this.#slowestRefusalMs,
      refused: this.#refused,
    };
  }

  /** Channels start with different publishers; after a failure the next publisher is used. */
  #postFrom(first: number): Post {
    let turn = first;
    const { urls, headers } = this.#spec;
    return async (events) => {
      const startedAt = performance.now();
      const outcomes = await publishBatch(urls[turn % urls.length] ?? '', events, headers);
      const failure = outcomes.find((outcome) => outcome.kind === 'failed');
      if (failure !== undefined) {
        turn += 1;
        this.#count(failure.status, performance.now() - startedAt);
      }
      return outcomes;
    };
  }

  #count(status: string, tookMs: number): void {
    this.#failures[status] = (this.#failures[status] ?? 0) + 1;
    this.#slowestRefusalMs = Math.max(this.#slowestRefusalMs, tookMs);
  }
}
