import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@leque/core';

/** Clocks of one cluster may differ by this much. */
const MAX_AGE_MS = 30_000;
const KEY_BYTES = 32;
const PURPOSE = 'leque control 1';

/** The fields that make a message authentic; the others are covered by the signature. */
interface Signed {
  readonly id: string;
  /** Milliseconds since the Unix epoch. */
  readonly at?: number;
  readonly mac?: string;
}

/** Signs messages between the processes of a cluster, and checks them (ADR 32). */
export class Signature {
  readonly #key: Buffer | undefined;
  readonly #clock: Clock;
  /** Authentic messages of late with their time, so that none counts twice. */
  readonly #seen = new Map<string, number>();

  /** @param secret without it messages are neither signed nor checked */
  constructor(secret: string | undefined, clock: Clock) {
    this.#clock = clock;
    if (secret !== undefined) {
      this.#key = Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, KEY_BYTES));
    }
  }

  /** @returns the text to publish in the channel */
  sign(channel: string, message: object): string {
    if (this.#key === undefined) return JSON.stringify(message);
    const dated = { ...message, at: this.#clock.now() };
    const text = JSON.stringify(dated);
    return JSON.stringify({ ...dated, mac: macOf(this.#key, channel, text) });
  }

  /** Whether a member of the cluster has sent the message in this channel, just now and once. */
  isAuthentic(channel: string, { mac, ...message }: Signed): boolean {
    if (this.#key === undefined) return true;
    const { at } = message;
    if (typeof mac !== 'string' || typeof at !== 'number') return false;
    if (!isEqual(mac, macOf(this.#key, channel, JSON.stringify(message)))) return false;
    return Math.abs(this.#clock.now() - at) <= MAX_AGE_MS && this.#isFirst(mac, at);
  }

  #isFirst(mac: string, at: number): boolean {
    const oldest = this.#clock.now() - MAX_AGE_MS;
    for (const [each, time] of this.#seen) if (time < oldest) this.#seen.delete(each);
    if (this.#seen.has(mac)) return false;
    this.#seen.set(mac, at);
    return true;
  }
}

function macOf(key: Buffer, channel: string, text: string): string {
  return createHmac('sha256', key).update(`${channel}\n${text}`).digest('base64url');
}

function isEqual(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
