import { setTimeout as delay } from 'node:timers/promises';
import { Client } from './client.ts';
import { nowUs } from './clock.ts';
import type { LoadSpec } from './read-spec.ts';

const READY_DEADLINE_MS = 60_000;

/** All clients; those that never were ready are left out. */
export class Crowd {
  readonly #spec: LoadSpec;
  readonly #attempts: Client[] = [];
  #clients: readonly Client[] = [];
  #stalled: readonly Client[] = [];
  #failure: string | undefined;
  #refused = 0;
  #givenUp = false;

  constructor(spec: LoadSpec) {
    this.#spec = spec;
  }

  /** Those that read all the time, and are open. */
  get readers(): readonly Client[] {
    return this.#clients.filter((client) => client.state === 'open');
  }

  get stalled(): readonly Client[] {
    return this.#stalled;
  }

  get closed(): number {
    return this.#clients.length - this.readers.length;
  }

  get stalledClosed(): number {
    return this.#stalled.filter((client) => client.state === 'ended').length;
  }

  get frames(): number {
    return this.#sum((client) => client.frames);
  }

  get bytes(): number {
    return this.#sum((client) => client.bytes);
  }

  async open(): Promise<Record<string, unknown>> {
    const started = nowUs();
    const members = this.#spec.members.entries();
    const deadline = new AbortController();
    const giveUp = delay(READY_DEADLINE_MS, undefined, { signal: deadline.signal }).then(
      () => this.#giveUp(),
      () => {},
    );
    // The lanes share one iterator, so that each member is taken once.
    const lane = async () => {
      for (const [index] of members) await this.#openOne(index);
    };
    await Promise.all(Array.from({ length: this.#spec.connectBatch }, lane));
    deadline.abort();
    await giveUp;
    return this.#sortOut(started);
  }

  async #openOne(index: number): Promise<void> {
    const { addresses, kinds, members, replies } = this.#spec;
    const member = members[index];
    const address = addresses[index % addresses.length];
    const kind = member && kinds[member.kind];
    if (!member || !kind || !address) throw new Error(`member ${index} is not sound`);
    const client = new Client({ address, kind, member, replies });
    this.#attempts[index] = client;
    await client.ready.catch((error: Error) => this.#fail(index, error));
  }

  /** Who is not let in comes again, at another time than the others. */
  async #fail(index: number, error: Error): Promise<void> {
    this.#failure ??= error.message;
    const { retryMs } = this.#spec;
    if (retryMs === 0 || this.#givenUp) return;
    this.#refused += 1;
    await delay(Math.random() * retryMs);
    if (!this.#givenUp) await this.#openOne(index);
  }

  #giveUp(): void {
    this.#givenUp = true;
    for (const client of this.#attempts) {
      if (client?.state !== 'open') client?.giveUp('not ready before the deadline');
    }
  }

  #sortOut(started: number): Record<string, unknown> {
    const stalledFrom = this.#spec.members.length - this.#spec.stalled;
    const ready = (client: Client) => client.state === 'open';
    this.#clients = this.#attempts.slice(0, stalledFrom).filter(ready);
    this.#stalled = this.#attempts.slice(stalledFrom).filter(ready);
    const connections = this.#clients.length + this.#stalled.length;
    return {
      event: 'ready',
      connections,
      failed: this.#spec.members.length - connections,
      refused: this.#refused,
      seconds: (nowUs() - started) / 1e6,
      reason: this.#failure,
    };
  }

  #sum(of: (client: Client) => number): number {
    return [...this.#clients, ...this.#stalled].reduce((sum, client) => sum + of(client), 0);
  }
}
