import { Type } from 'typebox';
import type { Clock } from '../lib/clock.ts';

export const InputSettings = Type.Object({
  INPUT_RATE: Type.Integer({
    default: 200,
    minimum: 1,
    description:
      'packets that one client may send per second in the long run: frames of every kind, packets ' +
      'of Engine.IO, and requests of its polling; the socket of a client above it is not read',
  }),
  INPUT_BURST: Type.Integer({
    default: 1024,
    minimum: 1,
    maximum: 1_000_000,
    description: 'packets that one client may send at once after a quiet time',
  }),
  INPUT_BYTE_RATE: Type.Integer({
    default: 262_144,
    minimum: 1000,
    description:
      'bytes that one client may send per second in the long run; compressed messages count with ' +
      'their size after decompression',
  }),
  INPUT_BYTE_BURST: Type.Integer({
    default: 1_048_576,
    minimum: 1,
    description: 'bytes that one client may send at once after a quiet time',
  }),
  INPUT_HOLD_LIMIT: Type.Number({
    default: 5,
    minimum: 0,
    description:
      'seconds for which a client that goes on sending above INPUT_RATE or INPUT_BYTE_RATE is held ' +
      'back; it is closed with 4029 after that',
  }),
});

export interface InputLimits {
  readonly packetsPerSecond: number;
  readonly packetBurst: number;
  readonly bytesPerSecond: number;
  readonly byteBurst: number;
  /** A client is closed when it has been held back for longer. */
  readonly holdMs: number;
}

/** What the budgets of one transport's clients share. */
export interface InputContext {
  readonly clock: Clock;
  readonly limits: InputLimits;
  /** Called when a client begins to be held back. */
  readonly onHeld: () => void;
}

/** `hold`: read nothing now, and ask again after `HOLD_STEP_MS`. `close`: the client does not stop. */
export type InputVerdict = 'pass' | 'hold' | 'close';

/** The time between two looks at the budget of a client that is held back. */
export const HOLD_STEP_MS = 50;
/** A client that was not held back for this long begins anew. */
const RELIEF_MS = 1000;

/** The unit in which packets are kept. */
const PER_PACKET = 1000;

/**
 * The packets and bytes that one client may still send: two token buckets. What is taken may exceed
 * what is left, because the size of an inflated message is known only afterwards. All fields are
 * small integers, because every connection has them.
 */
export class InputBudget {
  readonly #context: InputContext;
  /** In thousandths. */
  #packets: number;
  #bytes: number;
  #filledAt: number;
  #heldSince = 0;
  /** 0 before it was held back. */
  #heldAt = 0;

  constructor(context: InputContext) {
    this.#context = context;
    this.#packets = context.limits.packetBurst * PER_PACKET;
    this.#bytes = context.limits.byteBurst;
    this.#filledAt = Math.trunc(context.clock.monotonic());
  }

  /** Bytes that may be taken without a debt; at least 1 after the verdict `pass`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the budget is in its initial state: nothing was taken, or everything has come back. */
  get full(): boolean {
    const now = this.#fill();
    const { packetBurst, byteBurst } = this.#context.limits;
    const isRelieved = this.#heldAt === 0 || now - this.#heldAt > RELIEF_MS;
    return isRelieved && this.#packets === packetBurst * PER_PACKET && this.#bytes === byteBurst;
  }

  take(packets: number, bytes: number): void {
    this.#packets -= packets * PER_PACKET;
    this.#bytes -= bytes;
  }

  verdict(): InputVerdict {
    const now = this.#fill();
    if (this.#packets >= PER_PACKET && this.#bytes >= 1) return 'pass';
    if (this.#heldAt === 0 || now - this.#heldAt > RELIEF_MS) {
      this.#heldSince = now;
      this.#context.onHeld();
    }
    this.#heldAt = now;
    return this.#isFarAbove(now) ? 'close' : 'hold';
  }

  #isFarAbove(now: number): boolean {
    const { packetBurst, byteBurst, holdMs } = this.#context.limits;
    if (now - this.#heldSince > holdMs) return true;
    return this.#packets < -packetBurst * PER_PACKET || this.#bytes < -byteBurst;
  }

  #fill(): number {
    const now = Math.trunc(this.#context.clock.monotonic());
    const { packetsPerSecond, packetBurst, bytesPerSecond, byteBurst } = this.#context.limits;
    const ms = now - this.#filledAt;
    this.#packets = Math.min(packetBurst * PER_PACKET, this.#packets + ms * packetsPerSecond);
    this.#bytes = Math.min(byteBurst, this.#bytes + Math.floor((ms * bytesPerSecond) / 1000));
    this.#filledAt = now;
    return now;
  }
}
