import { setTimeout as delay } from 'node:timers/promises';
import { post } from '@leque/lab';

const PACE_MS = 5;
const RETRY_MS = 50;
const GIVE_UP_MS = 30_000;

export interface Published {
  /** The highest stored number; all lower ones are stored too. */
  readonly stored: number;
  /** The numbers that were published more than once, because the first outcome was unknown. */
  readonly repeated: ReadonlySet<number>;
}

export interface LoadOptions {
  readonly publisherUrl: string;
  readonly apiKey: string;
  readonly project: string;
}

/**
 * Publishes numbers to a project one after the other. Each is retried with its idempotency key
 * until it is stored, as the contract asks of publishers.
 */
export class NumberedLoad implements Published, AsyncDisposable {
  readonly repeated = new Set<number>();
  readonly #options: LoadOptions;
  readonly #running: Promise<void>;
  #stored = 0;
  #stopped = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#running = this.#run();
    this.#running.catch(() => {}); // stop() throws it
  }

  get stored(): number {
    return this.#stored;
  }

  /** Finishes the publish under way, and returns the last stored number. */
  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#running;
    return this.#stored;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    for (let n = 1; !this.#stopped; n += 1) {
      const deadline = Date.now() + GIVE_UP_MS;
      while (!(await this.#isStored(n))) {
        if (Date.now() > deadline) throw new Error(`${n} could not be published`);
        this.repeated.add(n);
        await delay(RETRY_MS);
      }
      this.#stored = n;
      await delay(PACE_MS);
    }
  }

  async #isStored(n: number): Promise<boolean> {
    const { publisherUrl, apiKey, project } = this.#options;
    const event = { type: 'numbered', project_id: project, data: { n }, idempotency_key: `n${n}` };
    const answer = post(`${publisherUrl}/api/publish`, event, {
      authorization: `Bearer ${apiKey}`,
    });
    return answer.then(
      ({ status }) => status === 200,
      () => false,
    );
  }
}

/** One event that a client received. */
export type Seen = { readonly n: number } | 'resync';

/**
 * Describes each violation in the events of one client, given in order of arrival: a number that is
 * skipped or repeated without a preceding `resync`, or repeated although it was published only once.
 */
export function violations(seen: readonly Seen[], published: Published): string[] {
  const found: string[] = [];
  let last = 0;
  let explained = false;
  for (const each of seen) {
    if (each === 'resync') {
      explained = true;
      continue;
    }
    const { n } = each;
    if (n !== last + 1 && !explained) found.push(`${n} after ${last} without a resync`);
    if (n <= last && !published.repeated.has(n)) found.push(`${n} again after ${last}`);
    last = Math.max(n, last);
    explained = false;
  }
  if (last !== published.stored)
    found.push(`${last} is the last, but ${published.stored} is stored`);
  return found;
}
