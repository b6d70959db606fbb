import { ProtocolError } from '@leque/protocol';
import { Type } from 'typebox';
import type { Cancel, Clock } from '../lib/clock.ts';

export const AdmissionSettings = Type.Object({
  ADMISSION_RATE: Type.Integer({
    default: 1000,
    minimum: 1,
    description:
      'new connections that one node admits per second, and tokens that it verifies per second; ' +
      'more connections wait up to a second, and are then refused with 503 and Retry-After',
  }),
  ADMISSION_BURST: Type.Integer({
    default: 50,
    minimum: 1,
    description:
      'new connections that one node admits at once; a larger burst delays other clients longer',
  }),
  MAX_CONNECTIONS_PER_USER: Type.Integer({
    default: 100,
    minimum: 0,
    description:
      'most connections of one user to one node, over all transports; more are refused with 429; ' +
      '0 means no limit',
  }),
  MAX_CONNECTIONS_PER_ADDRESS: Type.Integer({
    default: 0,
    minimum: 0,
    description:
      'most connections of one address (IPv6: of one /64 network) to one node; more are refused ' +
      'with 429; 0 means no limit. Behind a proxy it needs TRUSTED_PROXIES',
  }),
});

/** The time between two turns in which waiting clients enter. */
const TICK_MS = 5;
/** A turn that is late by some time is followed by a rest of this many times as long. */
const REST = 2;
const MAX_REST_MS = 100;
/** A line holds as many as enter in this share of the waiting time. */
const LINE_SHARE = 3 / 4;
/** While both lines wait, one turn of this many goes to newcomers. */
const NEWCOMER_TURN = 4;

/** `known`: clients that present a token which was verified lately. `newcomers`: all others. */
export type AdmissionLine = 'known' | 'newcomers';

export interface AdmissionLimits {
  /** Newcomers per second. */
  readonly rate: number;
  /** Newcomers that enter at once after a quiet time. */
  readonly burst: number;
  /** The longest time that a newcomer waits. */
  readonly waitMs: number;
}

interface Waiting {
  readonly since: number;
  readonly enter: () => void;
  readonly refuse: (error: ProtocolError) => void;
}

/**
 * Paces new clients with a token bucket. Clients without a token of the bucket wait in a line, for a
 * bounded time, and enter a few at a time, so that a storm of them leaves the event loop to the
 * clients that are connected. Known clients have a line of their own, which goes first: newcomers,
 * who may be anybody, cannot delay them.
 */
export class Admission {
  readonly #clock: Clock;
  readonly #limits: AdmissionLimits;
  readonly #known: Waiting[] = [];
  readonly #newcomers: Waiting[] = [];
  #turn = 0;
  #tokens: number;
  #filledAt: number;
  #closed = false;
  #tickDueAt = 0;
  #cancelTick: Cancel | undefined;

  constructor(clock: Clock, limits: AdmissionLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#filledAt = clock.monotonic();
  }

  /** @throws ProtocolError `overloaded`, or `draining` once it is closed */
  async enter(line: AdmissionLine): Promise<void> {
    if (this.#closed) throw draining();
    this.#fill();
    const ahead = this.#known.length + (line === 'known' ? 0 : this.#newcomers.length);
    if (ahead === 0 && this.#tokens >= 1) {
      this.#tokens -= 1;
      return;
    }
    const { rate, waitMs } = this.#limits;
    const waiting = line === 'known' ? this.#known : this.#newcomers;
    if (waiting.length >= (LINE_SHARE * waitMs * rate) / 1000) throw overloaded();
    await this.#wait(waiting);
  }

  /** Refuses all clients from here on, also those that wait. */
  close(): void {
    this.#closed = true;
    this.#cancelTick?.();
    for (const line of [this.#known, this.#newcomers]) {
      for (const { refuse } of line.splice(0)) refuse(draining());
    }
  }

  #wait(line: Waiting[]): Promise<void> {
    const { promise, resolve: enter, reject: refuse } = Promise.withResolvers<void>();
    line.push({ since: this.#clock.monotonic(), enter, refuse });
    if (this.#cancelTick === undefined) this.#tickAfter(TICK_MS);
    return promise;
  }

  readonly #tick = (): void => {
    this.#cancelTick = undefined;
    const now = this.#clock.monotonic();
    this.#fill();
    this.#refuseLate(this.#known, now);
    this.#refuseLate(this.#newcomers, now);
    this.#admit();
    if (this.#known.length + this.#newcomers.length === 0) return;
    const restMs = REST * Math.max(0, now - this.#tickDueAt);
    this.#tickAfter(TICK_MS + Math.min(restMs, MAX_REST_MS));
  };

  #refuseLate(line: Waiting[], now: number): void {
    const inTime = line.findIndex(({ since }) => now - since < this.#limits.waitMs);
    const late = line.splice(0, inTime === -1 ? line.length : inTime);
    for (const { refuse } of late) refuse(overloaded());
  }

  #admit(): void {
    while (this.#tokens >= 1) {
      const next = this.#next();
      if (next === undefined) return;
      this.#tokens -= 1;
      next.enter();
    }
  }

  /** Known clients go first; newcomers have a turn now and then, so that they do not wait for ever. */
  #next(): Waiting | undefined {
    this.#turn = (this.#turn + 1) % NEWCOMER_TURN;
    const [first, second] =
      this.#turn === 0 ? [this.#newcomers, this.#known] : [this.#known, this.#newcomers];
    return first.shift() ?? second.shift();
  }

  #tickAfter(delayMs: number): void {
    this.#tickDueAt = this.#clock.monotonic() + delayMs;
    this.#cancelTick = this.#clock.after(delayMs, this.#tick);
  }

  /** A late turn finds no more tokens than a burst, so that a busy node takes fewer newcomers. */
  #fill(): void {
    const now = this.#clock.monotonic();
    const { rate, burst } = this.#limits;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) * rate) / 1000);
    this.#filledAt = now;
  }
}

function overloaded(): ProtocolError {
  return new ProtocolError('overloaded', 'too many clients come at once; try again later');
}

function draining(): ProtocolError {
  return new ProtocolError('draining', 'this node is being replaced');
}
