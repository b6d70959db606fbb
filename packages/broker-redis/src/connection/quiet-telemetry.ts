import type { Cancel, Clock, Fact, Telemetry } from '@leque/core';
import { isReply } from './redis-errors.ts';
import { tryExplainRefusal } from './redis-failures.ts';

/**
 * How replies begin by which Redis says that it serves nobody, or no writers, at the moment. They
 * are states of the server: no bug of this process, and no broken machine.
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
  'OOM',
  'READONLY',
]);
/** A refusal that has not been repeated for this time is over; each is repeated every two seconds. */
const OVER_AFTER_MS = 5000;

/**
 * Passes facts on, but one for each change of state where Redis refuses command after command:
 * `broker_refused` when that begins, and `broker_serving` when it is over.
 */
export class QuietTelemetry implements Telemetry {
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  /** When each refusal was last seen, on the monotonic clock. */
  readonly #refusals = new Map<string, number>();
  #cancelLook: Cancel | undefined;
  #closed = false;

  constructor(telemetry: Telemetry, clock: Clock) {
    this.#telemetry = telemetry;
    this.#clock = clock;
  }

  report(fact: Fact): void {
    if (fact.type === 'broker_refused') this.#refused(fact.detail, fact.detail);
    else if (fact.type !== 'failure' || !isReply(fact.error)) this.#telemetry.report(fact);
    else this.#replied(fact, fact.error.message);
  }

  /** Cancels its timer; later facts are passed on nevertheless. */
  close(): void {
    this.#closed = true;
    this.#cancelLook?.();
  }

  #replied(fact: Extract<Fact, { type: 'failure' }>, message: string): void {
    const code = /^[A-Z]+(?= )/.exec(message)?.[0] ?? '';
    const refusal = tryExplainRefusal(message);
    if (refusal !== undefined) this.#refused(refusal, refusal);
    else if (REFUSALS.has(code)) this.#refused(code, message);
    else this.#telemetry.report(fact);
  }

  #refused(state: string, detail: string): void {
    const begins = !this.#refusals.has(state);
    this.#refusals.set(state, this.#clock.monotonic());
    if (begins) this.#telemetry.report({ type: 'broker_refused', detail });
    this.#lookLater();
  }

  #lookLater(): void {
    if (this.#closed) return;
    this.#cancelLook ??= this.#clock.after(OVER_AFTER_MS, () => this.#look());
  }

  #look(): void {
    this.#cancelLook = undefined;
    const before = this.#clock.monotonic() - OVER_AFTER_MS;
    for (const [state, at] of this.#refusals) if (at <= before) this.#refusals.delete(state);
    if (this.#refusals.size > 0) this.#lookLater();
    else this.#telemetry.report({ type: 'broker_serving' });
  }
}
