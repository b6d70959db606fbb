import type { Clock } from '../lib/clock.ts';
import type { Broker } from '../ports/broker.ts';
import type { ClusterState } from '../ports/cluster-state.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { Flusher } from '../writing/flusher.ts';
import type { HubOptions } from './hub-options.ts';
import { LocalChannel } from './local-channel.ts';
import type { Subscription } from './subscription.ts';

export interface LocalChannelsDeps {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Undefined where nobody collects spans. */
  readonly tracing?: Tracing | undefined;
  readonly flusher: Flusher;
}

/** The largest batch, in bytes of JSON: it is one piece in each outbox, beside other pieces. */
const MAX_BATCH_BYTES = 65_536;

/**
 * The channels of this node. A channel is subscribed at the broker for its first local
 * subscription, and unsubscribed a grace period after its last one ended (LIVE).
 */
export class LocalChannels {
  readonly #deps: LocalChannelsDeps;
  readonly #options: Pick<HubOptions, 'unsubscribeGraceMs' | 'outboxMaxBytes'>;
  readonly #channels = new Map<string, LocalChannel>();

  constructor(
    deps: LocalChannelsDeps,
    options: Pick<HubOptions, 'unsubscribeGraceMs' | 'outboxMaxBytes'>,
  ) {
    this.#deps = deps;
    this.#options = options;
  }

  get size(): number {
    return this.#channels.size;
  }

  get(name: string): LocalChannel | undefined {
    return this.#channels.get(name);
  }

  /** The channel, subscribed at the broker if it was not; a subscription has to be added next. */
  enter(name: string): LocalChannel {
    return this.#channels.get(name) ?? this.#join(name);
  }

  add(local: LocalChannel, subscription: Subscription): void {
    local.cancelLeave?.();
    local.cancelLeave = undefined;
    local.add(subscription);
    this.#reportSubscribers(local);
  }

  remove(subscription: Subscription): void {
    const local = this.#channels.get(subscription.channel);
    if (!local?.subscriptions.delete(subscription)) return;
    this.#reportSubscribers(local);
    if (local.subscriptions.size === 0) this.#leaveLater(local);
  }

  /** Stops the timers of channels that are waiting to be left. */
  close(): void {
    for (const local of this.#channels.values()) local.cancelLeave?.();
  }

  #join(name: string): LocalChannel {
    const { broker, flusher, clock, tracing } = this.#deps;
    const local = new LocalChannel(name, {
      subscribed: broker.subscribe(name),
      flusher,
      clock,
      tracing,
      maxBatchBytes: Math.min(MAX_BATCH_BYTES, this.#options.outboxMaxBytes / 4),
    });
    // Each waiting session reports the failure; nobody may be waiting any more.
    local.joined?.catch(() => {
      if (this.#forget(local)) this.#deps.state.setSubscribers(name, 0);
    });
    this.#channels.set(name, local);
    return local;
  }

  /** Clients that reconnect, and tabs that reload, want the same channel again in a moment. */
  #leaveLater(local: LocalChannel): void {
    const { clock, broker, telemetry } = this.#deps;
    local.cancelLeave = clock.after(this.#options.unsubscribeGraceMs, () => {
      this.#forget(local);
      broker.unsubscribe(local.name).catch((error: unknown) => {
        telemetry.report({ type: 'failure', where: 'unsubscribe', error });
      });
    });
  }

  /** @returns false when the channel was forgotten before */
  #forget(local: LocalChannel): boolean {
    local.cancelLeave?.();
    return this.#channels.get(local.name) === local && this.#channels.delete(local.name);
  }

  #reportSubscribers({ name, subscriptions }: LocalChannel): void {
    this.#deps.state.setSubscribers(name, subscriptions.size);
  }
}
