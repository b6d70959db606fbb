import { setTimeout as delay } from 'node:timers/promises';
import { median } from '../results/statistics.ts';
import type { ManyForm } from '../workloads/setups.ts';

const USERS = 2_000;
const BYTES = 3_000;
const PERIOD_MS = 1_000;
const ANSWER_MS = 10_000;
/** Items that the API takes in one batch. */
const BATCH = 1_000;

export interface ManyPublisherOptions {
  readonly form: ManyForm;
  readonly port: number;
  readonly authorization: string;
}

/** Publishes one event to many users, once a second, until it is stopped. */
export class ManyPublisher {
  readonly #options: ManyPublisherOptions;
  readonly #stopping = new AbortController();
  readonly #times: number[] = [];
  readonly #running: Promise<void>;

  private constructor(options: ManyPublisherOptions) {
    this.#options = options;
    this.#running = this.#run();
    this.#running.catch(() => {}); // `stop` reports it
  }

  static start(options: ManyPublisherOptions): ManyPublisher {
    return new ManyPublisher(options);
  }

  /**
   * @returns the median of the milliseconds in which the event was stored for all users
   * @throws Error when it was not stored for one of them
   */
  async stop(): Promise<number | undefined> {
    this.#stopping.abort();
    await this.#running;
    return median(this.#times);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const bodies = bodiesOf(this.#options.form);
    while (!signal.aborted) {
      const startedAt = performance.now();
      let count = 0;
      for (const body of bodies) count += await this.#publish(body);
      const tookMs = performance.now() - startedAt;
      if (count !== USERS) throw new Error(`stored for ${count} of ${USERS} users`);
      this.#times.push(tookMs);
      await delay(Math.max(0, PERIOD_MS - tookMs), undefined, { signal }).catch(() => {});
    }
  }

  async #publish(body: string): Promise<number> {
    const { port, authorization } = this.#options;
    const answer = await fetch(`http://127.0.0.1:${port}/api/publish`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await answer.text();
    return text.split('"status":"stored"').length - 1;
  }
}

function bodiesOf(form: ManyForm): string[] {
  const event = { type: 'bench', data: { pad: 'x'.repeat(BYTES) } };
  const users = Array.from({ length: USERS }, (_, n) => `user-${n}`);
  if (form === 'list') return [JSON.stringify({ ...event, user_ids: users })];
  const copies = users.map((user_id) => ({ ...event, user_id }));
  return [copies.slice(0, BATCH), copies.slice(BATCH)].map((each) => JSON.stringify(each));
}
