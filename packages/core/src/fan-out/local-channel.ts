import type { Position } from '@leque/protocol';
import type { Cancel, Clock } from '../lib/clock.ts';
import { SmallSet } from '../lib/small-set.ts';
import { type FanOut, sampledTraceOf, type Tracing } from '../ports/tracing.ts';
import type { Publication } from '../publication/publication.ts';
import { publishTimeOf } from '../publication/publish-time.ts';
import { type Flusher, QUANTUM, type TurnTask } from '../writing/flusher.ts';
import { Batch } from './batch.ts';
import type { Subscription } from './subscription.ts';

export interface LocalChannelDeps {
  /** The broker's answer to the subscription. */
  readonly subscribed: Promise<Position | undefined>;
  readonly flusher: Flusher;
  readonly clock: Clock;
  readonly tracing: Tracing | undefined;
  /** Bytes of JSON; more publications go out as several batches. */
  readonly maxBatchBytes: number;
}

/** One channel on this node: its subscriptions and its position. */
export class LocalChannel implements TurnTask {
  readonly name: string;
  readonly subscriptions = new SmallSet<Subscription>();
  /**
   * Settles once the broker delivers this channel, and is undefined after that. Rejects when the
   * channel could not be subscribed.
   */
  joined: Promise<void> | undefined;
  /** Set during the grace period after the last subscription. */
  cancelLeave: Cancel | undefined;
  readonly #flusher: Flusher;
  readonly #clock: Clock;
  readonly #tracing: Tracing | undefined;
  readonly #maxBatchBytes: number;
  /** Publications delivered by the broker in this turn of the event loop, and not offered yet. */
  #pending: Publication[] | undefined;
  #pendingBytes = 0;
  #deliveredBytes = 0;
  /** Position of the last publication that was offered. */
  #position: Position | undefined;

  constructor(name: string, deps: LocalChannelDeps) {
    this.name = name;
    this.#flusher = deps.flusher;
    this.#clock = deps.clock;
    this.#tracing = deps.tracing;
    this.#maxBatchBytes = deps.maxBatchBytes;
    this.joined = deps.subscribed.then((position) => this.#join(position));
  }

  /** Total JSON bytes delivered in this channel. */
  get deliveredBytes(): number {
    return this.#deliveredBytes;
  }

  /** The subscription starts at the channel's position; pending publications are offered to it. */
  add(subscription: Subscription): void {
    this.subscriptions.add(subscription);
    subscription.moveTo(this.#position);
  }

  /** Offers the publication at the end of this turn or soon after, together with later ones. */
  deliver(publication: Publication): void {
    if (this.#pending === undefined) this.#flusher.atEndOfTurn(this);
    this.#pending ??= [];
    this.#pending.push(publication);
    this.#pendingBytes += publication.body.length;
    if (this.#pendingBytes >= this.#maxBatchBytes) this.endTurn();
  }

  /** New subscriptions get a cursor of the new epoch, which stays valid longer. */
  epochChanged(position: Position): void {
    this.endTurn();
    this.#position = position;
  }

  resync(position: Position | undefined): void {
    this.endTurn();
    this.#position = position;
    for (const subscription of this.subscriptions) subscription.resync(position);
  }

  /** Offers the pending publications. */
  endTurn(): void {
    if (this.#pending === undefined) return;
    const publishedAtMs = this.#publishedAtMs(this.#pending);
    const batch = new Batch(this.#pending, publishedAtMs, this.#position);
    this.#pending = undefined;
    this.#pendingBytes = 0;
    // Live-only publications do not move the channel's position.
    this.#position = batch.last ?? this.#position;
    const startedAt = this.#tracing === undefined ? 0 : this.#clock.monotonic();
    let offered = 0;
    for (const subscription of this.subscriptions) {
      subscription.offer(batch);
      offered += 1;
      if (offered % QUANTUM === 0) this.#flusher.endQuantum();
    }
    this.#countDeliveries(batch, offered);
    this.#flusher.endGroup();
    if (this.#tracing !== undefined)
      traceBatch(this.#tracing, batch, {
        channel: this.name,
        sessions: offered,
        tookMs: this.#clock.monotonic() - startedAt,
        endedAt: this.#clock.now(),
      });
  }

  #countDeliveries({ publications, takenWhole }: Batch, sessions: number): void {
    for (const { body, deliveries } of publications) {
      this.#deliveredBytes += body.length;
      if (deliveries === undefined) continue;
      deliveries.sessions += sessions;
      deliveries.written += takenWhole;
      deliveries.endsAtBytes = this.#deliveredBytes;
    }
  }

  #publishedAtMs([oldest]: readonly Publication[]): number {
    if (oldest === undefined || this.subscriptions.size === 0) return 0;
    const now = this.#clock.now();
    const time = publishTimeOf(oldest.body, now);
    return time === undefined ? 0 : Math.floor(this.#clock.monotonic() - (now - time));
  }

  /**
   * Subscriptions that were added while the broker subscribed start after `position`. If a
   * publication arrived before the broker's answer, later subscriptions have a position already.
   */
  #join(position: Position | undefined): void {
    this.joined = undefined;
    this.#position ??= position;
    for (const subscription of this.subscriptions) {
      if (subscription.position === undefined) subscription.moveTo(position);
    }
  }
}

function traceBatch(
  tracing: Tracing,
  { publications }: Batch,
  done: Pick<FanOut, 'channel' | 'sessions' | 'endedAt'> & { readonly tookMs: number },
): void {
  const { tookMs, ...fanOut } = done;
  for (const publication of publications) {
    const traceparent = sampledTraceOf(publication);
    if (traceparent === undefined) continue;
    tracing.fannedOut({ ...fanOut, traceparent, startedAt: done.endedAt - tookMs });
  }
}
