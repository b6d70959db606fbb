import { mayRead, type Persona } from './world.ts';

/** What one client got. */
export interface Received {
  readonly channel?: unknown;
  readonly type?: unknown;
  readonly event?: unknown;
  readonly data?: unknown;
}

/** Judges every publication that any client gets, and every answer to an attempt. */
export class Audit {
  attempts = 0;
  /** Attempts that were granted, and rightly so. */
  granted = 0;
  deliveries = 0;
  readonly violations: string[] = [];
  /** Maps the mark in an event's data to the channels that the event goes to; none when it is refused. */
  readonly #channels: (readonly string[])[] = [];
  /** By the id of an event that was stored under an idempotency key, whose it is. */
  readonly #owners = new Map<string, string>();

  /** The mark of an event that has this expected channel. */
  mark(): number {
    return this.#channels.push([]) - 1;
  }

  expect(mark: number, ...channels: readonly (string | undefined)[]): void {
    this.#channels[mark] = channels.filter((channel) => channel !== undefined);
  }

  received(reader: Persona, publication: Received): void {
    const { channel } = publication;
    if (typeof channel !== 'string') return; // an answer of the server
    this.deliveries += 1;
    if (!mayRead(reader, channel)) this.#violated(`${reader.name} got`, publication);
    const { mark } = (publication.data ?? {}) as { mark?: number };
    if (mark !== undefined && !this.#channels[mark]?.includes(channel)) {
      this.#violated(`${reader.name} got what belongs to ${this.#channels[mark]}:`, publication);
    }
  }

  attempt(wanted: boolean, was: boolean, what: unknown): void {
    this.attempts += 1;
    if (wanted && was) this.granted += 1;
    if (wanted !== was) this.#violated(was ? 'was allowed:' : 'was refused:', what);
  }

  /** Nobody gets the result of another caller's idempotency key. */
  stored(owner: string, messageId: string): void {
    const first = this.#owners.get(messageId) ?? owner;
    if (first !== owner) this.#violated(`the result of ${first} came to`, owner);
    this.#owners.set(messageId, owner);
  }

  #violated(how: string, what: unknown): void {
    if (this.violations.length < 20) this.violations.push(`${how} ${JSON.stringify(what)}`);
  }
}
