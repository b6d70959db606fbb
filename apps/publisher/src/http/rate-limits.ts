import type { Clock } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Quota, type Rate, TokenBuckets } from './token-buckets.ts';

/** Seconds' worth of units that a full bucket holds, so that short bursts are not refused. */
const BURST_S = 10;

const CALLERS = { key: 'API key', user: 'user', address: 'address' } as const;
type CallerKind = keyof typeof CALLERS;

/** Whose bucket a request is charged to. */
export interface Bucket {
  readonly kind: CallerKind;
  readonly id: string;
}

/** Units per second for each caller of a kind; 0 means no limit. */
export type CallerRates = Readonly<Record<CallerKind, number>>;

declare module 'fastify' {
  interface FastifyRequest {
    /** Null before the caller is identified. */
    bucket: Bucket | null;
  }
}

/** Limits how much each caller may ask for. A request is one unit; routes may charge more. */
export class RateLimits {
  readonly #buckets: Readonly<Record<CallerKind, TokenBuckets | undefined>>;

  constructor(rates: CallerRates, clock: Clock) {
    const bucketsOf = (perSecond: number) =>
      perSecond === 0
        ? undefined
        : new TokenBuckets({ perSecond, burst: perSecond * BURST_S }, clock);
    this.#buckets = {
      key: bucketsOf(rates.key),
      user: bucketsOf(rates.user),
      address: bucketsOf(rates.address),
    };
  }

  /**
   * Charges units to the caller, and states in the answer what is left.
   * @throws ProtocolError `rate_limited`; the answer says when to come again
   */
  charge({ bucket }: FastifyRequest, reply: FastifyReply, units: number): void {
    if (bucket === null || units === 0) return;
    const { kind, id } = bucket;
    const buckets = this.#buckets[kind];
    if (buckets === undefined) return;
    const left = buckets.take(id, units);
    stateQuota(reply, { kind, rate: buckets.rate, left });
    if (left.allowed) return;
    const limit = `${buckets.rate.perSecond} requests and events per second`;
    throw refuseFor(reply, left, `each ${CALLERS[kind]} has at most ${limit}`);
  }
}

/** @returns the error for a caller who has no units left, after saying when to come again */
export function refuseFor(reply: FastifyReply, left: Quota, detail: string): ProtocolError {
  reply.header('retry-after', secondsOf(left.retryInMs));
  return new ProtocolError('rate_limited', detail);
}

/** The fields of draft-ietf-httpapi-ratelimit-headers-10. */
function stateQuota(
  reply: FastifyReply,
  { kind, rate, left }: { kind: CallerKind; rate: Rate; left: Quota },
): void {
  reply.header('ratelimit-policy', `"${kind}";q=${rate.burst};w=${BURST_S}`);
  reply.header('ratelimit', `"${kind}";r=${left.remaining};t=${secondsOf(left.fullInMs)}`);
}

function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000);
}
