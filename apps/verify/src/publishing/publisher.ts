import { Random } from '@leque/testkit';
import { Lane, type Post } from './channel-publisher.ts';
import { publishBatch } from './publish-batch.ts';
import type { LoadResult, LoadSpec } from './publisher-spec.ts';

const MAX_TOLD = 5;

/** Publishes in all its lanes at the same time, and remembers what became of it. */
export class Load {
  readonly #spec: LoadSpec;
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #failures: Record<string, number> = {};
  readonly #refused: string[] = [];
  #slowestRefusalMs = 0;
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor(spec: LoadSpec) {
    this.#spec = spec;
    const random = new Random(spec.seed);
    const refused = (reason: string) => {
      if (this.#refused.length < MAX_TOLD) this.#refused.push(reason);
    };
    const lanes = spec.lanes.map((lane, index): [string, Lane] => [
      lane.channel,
      new Lane(lane, { run: spec.run, post: this.#postFrom(index), random, refused }),
    ]);
    this.#lanes = new Map(lanes);
  }

  /** So many in each lane, now. */
  async publish(count: number, patienceMs: number): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.publish(count, patienceMs)));
  }

  /** Goes on until `stop`; after that, what is not acknowledged is tried for so long. */
  start(patienceMs: number): void {
    const { signal } = this.#stop;
    const running = [...this.#lanes.values()].map((lane) => lane.run(signal, patienceMs));
    this.#running = Promise.all(running);
    this.#running.catch(() => {}); // heard by who stops it
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#stop = new AbortController();
  }

  /** By channel, the highest number that was acknowledged. */
  acknowledged(): Record<string, number> {
    const lanes = [...this.#lanes];
    return Object.fromEntries(lanes.map(([channel, { ledger }]) => [channel, ledger.acknowledged]));
  }

  result(): LoadResult {
    const ledgers = [...this.#lanes].map(([channel, { ledger }]) => [channel, ledger.read()]);
    return {
      ledgers: Object.fromEntries(ledgers),
      failures: this.#failures,
      slowestRefusalMs: this.#slowestRefusalMs,
      refused: this.#refused,
    };
  }

  /** Lanes begin with different publishers; one that fails is left for the next. */
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
