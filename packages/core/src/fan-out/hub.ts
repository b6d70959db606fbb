import { type Position, ProtocolError } from '@leque/protocol';
import type { Identity } from '../access/grants.ts';
import { DeliveryJournal } from '../journal/delivery-journal.ts';
import { type Cancel, type Clock, every } from '../lib/clock.ts';
import type { Broker, BrokerSink } from '../ports/broker.ts';
import type { ClusterState } from '../ports/cluster-state.ts';
import type { Connection } from '../ports/connection.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { Publication } from '../publication/publication.ts';
import { FanOutCounters } from '../writing/fan-out-counters.ts';
import { Flusher } from '../writing/flusher.ts';
import { BacklogRounds } from './backlog-rounds.ts';
import type { HubOptions } from './hub-options.ts';
import { LocalChannel } from './local-channel.ts';
import { Recoveries } from './recoveries.ts';
import { Session, type SessionDeps } from './session.ts';
import { type Filter, Subscription } from './subscription.ts';
import { TokenEnds } from './token-ends.ts';
import { UserSessions } from './user-sessions.ts';

export interface HubDeps {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** None where nobody collects spans. */
  readonly tracing?: Tracing | undefined;
}

export interface SubscribeOptions {
  /** The client has seen everything up to here and wants what followed. */
  readonly since?: Position;
  readonly accepts?: Filter;
}

/** How late a token's end may be seen, and how old the totals that are reported may be. */
const SWEEP_MS = 250;

/** A batch is one piece in each outbox, and has to fit into it beside others. */
const MAX_BATCH_BYTES = 65_536;

/** Local fan-out: which sessions on this node want a channel. */
export class Hub implements BrokerSink {
  readonly #ports: HubDeps;
  readonly #limits: HubOptions;
  readonly #context: SessionDeps;
  readonly #sessions = new Set<Session>();
  readonly #userSessions = new UserSessions();
  readonly #channels = new Map<string, LocalChannel>();
  readonly #stopSweep: Cancel;
  readonly #counters = new FanOutCounters();
  readonly #backlogs: BacklogRounds;
  readonly #tokenEnds = new TokenEnds();
  readonly #recoveries: Recoveries;
  readonly #journal: DeliveryJournal | undefined = undefined;
  #reportedMessages = 0;

  constructor(ports: HubDeps, limits: HubOptions) {
    this.#ports = ports;
    this.#limits = limits;
    this.#context = {
      flusher: new Flusher(ports.clock, limits.fanoutWindowMs, this.#counters.sliceSeconds),
      onSlow: (session, queuedBytes) => this.#noteSlow(session, queuedBytes),
      outboxMaxBytes: limits.outboxMaxBytes,
      now: () => ports.clock.now(),
      counters: this.#counters,
    };
    const { journal = { entries: 0, ttlMs: 0 } } = limits;
    if (journal.entries > 0) this.#journal = new DeliveryJournal(ports.clock, journal);
    this.#recoveries = new Recoveries(
      { ...ports, journal: this.#journal },
      limits.maxRecovered,
      this.#counters.resumes,
    );
    this.#backlogs = new BacklogRounds(ports.clock, this.#counters);
    this.#stopSweep = every(ports.clock, SWEEP_MS, () => this.#sweep());
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  /** Undefined when nothing is remembered. */
  get journal(): DeliveryJournal | undefined {
    return this.#journal;
  }

  get counters(): FanOutCounters {
    return this.#counters;
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  open(connection: Connection, identity: Identity): Session {
    const session = new Session(connection, identity, this.#context);
    this.#sessions.add(session);
    this.#counters.of(connection.format.transport).open += 1;
    this.#tokenEnds.expect(identity.expiresAt);
    this.#countUser(session, +1);
    this.#ports.state.setConnections(this.#sessions.size);
    this.#ports.state.addTotals({ connections: 1 });
    return session;
  }

  /** The connection is gone; called by its transport, once. */
  remove(session: Session): void {
    if (!this.#sessions.delete(session)) return;
    this.#counters.of(session.format.transport).open -= 1;
    session.discard();
    this.#countUser(session, -1);
    this.#ports.state.setConnections(this.#sessions.size);
    for (const subscription of [...session.subscriptions.values()]) {
      this.#drop(session, subscription);
    }
  }

  /**
   * Subscribes a session, holding publications back until the caller has sent its answer and
   * calls `start` on what it gets. Subscribe first, then read: nothing can fall between.
   * @throws ProtocolError `forbidden` (ISO), `too_many_subscriptions`; `unavailable`, also for a
   *   session that has ended
   */
  async subscribe(
    session: Session,
    channel: string,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    if (!session.identity.grants.covers(channel)) {
      throw new ProtocolError('forbidden', `this token does not allow ${channel}`);
    }
    if (!this.#sessions.has(session)) throw sessionEnded();
    const existing = session.subscriptions.get(channel);
    if (existing === undefined && session.subscriptions.size >= this.#limits.maxSubscriptions) {
      const { maxSubscriptions } = this.#limits;
      throw new ProtocolError('too_many_subscriptions', `at most ${maxSubscriptions} channels`);
    }
    const subscription = existing ?? this.#add(session, channel, options.accepts);
    try {
      await this.#channels.get(channel)?.joined;
      assertKept(session, subscription);
      if (options.since === undefined) subscription.recoverNothing();
      else await this.#recoveries.recover(session, subscription, options.since);
      assertKept(session, subscription);
    } catch (error) {
      if (existing === undefined) this.#drop(session, subscription);
      else existing.start();
      throw error;
    }
    return subscription;
  }

  /**
   * Settles once everything that was published in a subscribed channel before the call has been
   * offered to its subscriptions, and what came to this node before that, in any channel, to theirs.
   * @throws ProtocolError `unavailable`
   */
  async catchUp(channel: string): Promise<void> {
    if (!this.#channels.has(channel)) return;
    await this.#ports.broker.subscribe(channel);
    this.#context.flusher.runTasks(); // what it replaces is in channels of its own
  }

  unsubscribe(session: Session, channel: string): void {
    const subscription = session.subscriptions.get(channel);
    if (subscription !== undefined) this.#drop(session, subscription);
  }

  /**
   * Gives the session a fresh token's grants; what they no longer cover is unsubscribed (ISO).
   * @throws ProtocolError `forbidden` for the token of another user
   */
  renew(session: Session, identity: Identity): void {
    if (identity.userId !== session.identity.userId) {
      throw new ProtocolError('forbidden', 'a connection stays with its user; open another one');
    }
    session.identity = identity;
    this.#tokenEnds.expect(identity.expiresAt);
    for (const subscription of [...session.subscriptions.values()]) {
      if (!identity.grants.covers(subscription.channel)) this.#drop(session, subscription);
    }
  }

  deliver(publication: Publication): void {
    const channel = this.#channels.get(publication.channel);
    if (channel === undefined) return;
    this.#counters.publications += 1;
    this.#journal?.note(publication);
    channel.deliver(publication);
  }

  resync(channel: string, position: Position | undefined): void {
    this.#ports.telemetry.report({ type: 'resync', channel });
    this.#channels.get(channel)?.resync(position);
  }

  epochChanged(channel: string, position: Position): void {
    this.#channels.get(channel)?.epochChanged(position);
  }

  /** Stops the hub's timers; sessions are closed by their transports. */
  close(): void {
    this.#stopSweep();
    this.#context.flusher.close();
    this.#backlogs.close();
    this.#reportMessages();
    for (const channel of this.#channels.values()) channel.cancelLeave?.();
  }

  #add(session: Session, channel: string, accepts: Filter | undefined): Subscription {
    const local = this.#channels.get(channel) ?? this.#enter(channel);
    const { name } = local; // one text for all who subscribe, who each bring their own
    const subscription = new Subscription(session, name, accepts);
    const rule = this.#limits.slowConsumerRules(name);
    if (rule !== undefined) subscription.mayLeaveOut(rule, this.#backlogs.add);
    session.subscriptions.set(name, subscription);
    local.cancelLeave?.();
    local.cancelLeave = undefined;
    local.add(subscription);
    this.#ports.state.setSubscribers(name, local.subscriptions.size);
    return subscription;
  }

  #enter(name: string): LocalChannel {
    const local = new LocalChannel(name, {
      subscribed: this.#ports.broker.subscribe(name),
      flusher: this.#context.flusher,
      clock: this.#ports.clock,
      tracing: this.#ports.tracing,
      maxBatchBytes: Math.min(MAX_BATCH_BYTES, this.#limits.outboxMaxBytes / 4),
    });
    // Each waiting session reports the failure; nobody may be waiting any more.
    local.joined?.catch(() => {
      if (this.#forget(local)) this.#ports.state.setSubscribers(name, 0);
    });
    this.#channels.set(name, local);
    return local;
  }

  #drop(session: Session, subscription: Subscription): void {
    const { channel } = subscription;
    subscription.end();
    this.#backlogs.remove(subscription);
    if (session.subscriptions.get(channel) === subscription) session.subscriptions.delete(channel);
    const local = this.#channels.get(channel);
    if (!local?.subscriptions.delete(subscription)) return;
    this.#ports.state.setSubscribers(channel, local.subscriptions.size);
    if (local.subscriptions.size === 0) this.#leaveLater(local);
  }

  /** Clients that reconnect, or tabs that reload, want the same channel again in a moment. */
  #leaveLater(local: LocalChannel): void {
    const { clock, broker, telemetry } = this.#ports;
    local.cancelLeave = clock.after(this.#limits.unsubscribeGraceMs, () => {
      this.#forget(local);
      broker.unsubscribe(local.name).catch((error: unknown) => {
        telemetry.report({ type: 'failure', where: 'unsubscribe', error });
      });
    });
  }

  /** False when it was forgotten before. */
  #forget(local: LocalChannel): boolean {
    local.cancelLeave?.();
    return this.#channels.get(local.name) === local && this.#channels.delete(local.name);
  }

  #noteSlow(session: Session, queuedBytes: number): void {
    const { id: sessionId } = session;
    this.#ports.telemetry.report({ type: 'slow_consumer', sessionId, queuedBytes });
    for (const channel of session.subscriptions.keys()) {
      const delivered = this.#channels.get(channel)?.deliveredBytes ?? 0;
      this.#journal?.noteSlow(channel, delivered, queuedBytes);
    }
  }

  #countUser(session: Session, change: 1 | -1): void {
    const { userId } = session.identity;
    if (userId === undefined) return;
    this.#ports.state.setUserConnections(userId, this.#userSessions.add(userId, change));
  }

  #sweep(): void {
    this.#tokenEnds.closeExpired(this.#sessions, this.#ports.clock.now());
    this.#reportMessages();
  }

  #reportMessages(): void {
    const { messagesSent } = this.#counters;
    if (messagesSent === this.#reportedMessages) return;
    this.#ports.state.addTotals({ messagesSent: messagesSent - this.#reportedMessages });
    this.#reportedMessages = messagesSent;
  }
}

function assertKept(session: Session, subscription: Subscription): void {
  if (session.subscriptions.get(subscription.channel) !== subscription) throw sessionEnded();
}

function sessionEnded(): ProtocolError {
  return new ProtocolError('unavailable', 'the session left while it subscribed');
}
