import { CLOSE, type CloseCode, type Position, ProtocolError } from '@leque/protocol';
import { assertSameUser, type Identity } from '../access/grants.ts';
import { DeliveryJournal } from '../journal/delivery-journal.ts';
import { type Cancel, type Clock, every } from '../lib/clock.ts';
import { KeyCounts } from '../lib/key-counts.ts';
import type { Broker, BrokerSink } from '../ports/broker.ts';
import type { ClusterState } from '../ports/cluster-state.ts';
import type { Connection } from '../ports/connection.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Tracing } from '../ports/tracing.ts';
import type { Publication } from '../publication/publication.ts';
import { HistoryReader } from '../recovery/history-reader.ts';
import { Recoveries } from '../recovery/recoveries.ts';
import { Replays } from '../recovery/replays.ts';
import { FanOutCounters } from '../writing/fan-out-counters.ts';
import { Flusher } from '../writing/flusher.ts';
import { Pace } from '../writing/pace.ts';
import { BacklogRounds } from './backlog-rounds.ts';
import type { HubOptions } from './hub-options.ts';
import { LocalChannels } from './local-channels.ts';
import { type ChannelFilter, type EndedChannel, Session, type SessionDeps } from './session.ts';
import type { Filter } from './subscriber.ts';
import { Subscription } from './subscription.ts';
import { TokenEnds } from './token-ends.ts';

export interface HubDeps {
  readonly broker: Broker;
  readonly state: ClusterState;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** Undefined where nobody collects spans. */
  readonly tracing?: Tracing | undefined;
}

export interface SubscribeOptions {
  /** The client has seen everything up to here; later publications are recovered. */
  readonly since?: Position;
  /** Selects publications of the channel; absent for all. */
  readonly accepts?: Filter;
}

/** Delay after which an expired token is noticed, and between two reports of totals. */
const SWEEP_MS = 250;

/** Local fan-out: which sessions on this node want a channel. */
export class Hub implements BrokerSink {
  /** Starts subscriptions: sends what their clients have missed, and lets them flow. */
  readonly replays: Replays;
  readonly #deps: HubDeps;
  readonly #options: HubOptions;
  readonly #sessionDeps: SessionDeps;
  readonly #sessions = new Set<Session>();
  readonly #userSessions = new KeyCounts();
  readonly #channels: LocalChannels;
  readonly #stopSweep: Cancel;
  readonly #counters = new FanOutCounters();
  readonly #backlogs: BacklogRounds;
  readonly #tokenEnds = new TokenEnds();
  readonly #recoveries: Recoveries;
  readonly #journal: DeliveryJournal | undefined = undefined;
  #reportedMessages = 0;

  constructor(deps: HubDeps, options: HubOptions) {
    this.#deps = deps;
    this.#options = options;
    const pace = new Pace(options.fanoutWindowMs);
    const flusher = new Flusher(deps.clock, pace, this.#counters.sliceSeconds);
    this.#channels = new LocalChannels({ ...deps, flusher }, options);
    this.#sessionDeps = {
      flusher,
      onSlow: (session, queuedBytes) => this.#noteSlow(session, queuedBytes),
      onDropping: (session) => this.#backlogs.add(session),
      outboxMaxBytes: options.outboxMaxBytes,
      now: () => deps.clock.now(),
      counters: this.#counters,
    };
    const { journal } = options;
    if (journal?.entries) this.#journal = new DeliveryJournal(deps.clock, journal);
    const reader = new HistoryReader({ ...deps, journal: this.#journal });
    const recovery = { reader, page: options.replayPage, clock: deps.clock };
    this.#recoveries = new Recoveries(recovery, this.#counters.resumes);
    this.replays = new Replays(recovery);
    this.#backlogs = new BacklogRounds(deps.clock, this.#counters);
    this.#stopSweep = every(deps.clock, SWEEP_MS, () => this.#sweep());
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions;
  }

  /** Undefined when the journal is switched off. */
  get journal(): DeliveryJournal | undefined {
    return this.#journal;
  }

  get counters(): FanOutCounters {
    return this.#counters;
  }

  get channelCount(): number {
    return this.#channels.size;
  }

  /** The number of sessions that a user has on this node. */
  connectionsOf(userId: string): number {
    return this.#userSessions.get(userId);
  }

  /** The transport has to call `remove` when the connection is gone. */
  open(connection: Connection, identity: Identity): Session {
    const session = new Session(connection, identity, this.#sessionDeps);
    this.#sessions.add(session);
    this.#counters.of(connection.format.transport).open += 1;
    this.#tokenEnds.expect(identity.expiresAt);
    this.#countUser(session, +1);
    this.#deps.state.setConnections(this.#sessions.size);
    this.#deps.state.addTotals({ connections: 1 });
    return session;
  }

  /** The connection is gone; called by its transport, once. */
  remove(session: Session): void {
    if (!this.#sessions.delete(session)) return;
    this.#counters.of(session.format.transport).open -= 1;
    session.discard();
    this.#backlogs.remove(session);
    this.replays.end(session);
    this.#countUser(session, -1);
    this.#deps.state.setConnections(this.#sessions.size);
    for (const subscription of [...session.subscriptions.values()]) {
      this.#drop(session, subscription);
    }
  }

  /**
   * Subscribes a session. The subscription holds publications back until the caller has sent its
   * answer and starts it. The channel is subscribed before its history is read, so nothing is
   * lost in between. When the outcome of a cursor cannot be found out, the session is closed: its
   * client comes back with the same cursor (GAP).
   * @throws ProtocolError `forbidden` (ISO), `too_many_subscriptions`, or `unavailable`: the broker
   *   does not answer, or the session is closed
   */
  async subscribe(
    session: Session,
    channel: string,
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    session.assertMayHear(channel);
    if (!this.#sessions.has(session)) throw sessionEnded();
    const existing = session.subscriptions.get(channel);
    if (existing === undefined && session.subscriptions.size >= this.#options.maxSubscriptions) {
      const { maxSubscriptions } = this.#options;
      throw new ProtocolError('too_many_subscriptions', `at most ${maxSubscriptions} channels`);
    }
    const subscription = existing ?? this.#add(session, channel, options.accepts);
    const { since } = options;
    if (since === undefined) subscription.recoverNothing();
    else subscription.present(since);
    try {
      await this.#channels.get(channel)?.joined;
      assertKept(session, subscription);
      if (since !== undefined) await this.#recoveries.recover(session, subscription, since);
      assertKept(session, subscription);
    } catch (error) {
      session.assertMayHear(channel); // its right has ended meanwhile, as the client was told
      this.#drop(session, subscription);
      // The client would go on without the channel, or with it and without what it has missed.
      if (existing !== undefined || since !== undefined) session.close(...cannotContinue(channel));
      throw error;
    }
    return subscription;
  }

  /**
   * Settles once everything published in this channel before the call has been offered to its
   * subscriptions, and everything that reached this node before that, to those of its channels.
   * @throws ProtocolError `unavailable`
   */
  async catchUp(channel: string): Promise<void> {
    if (this.#channels.get(channel) === undefined) return;
    await this.#deps.broker.subscribe(channel);
    this.#sessionDeps.flusher.runTasks(); // other channels may wait for the end of the turn
  }

  unsubscribe(session: Session, channel: string): void {
    const subscription = session.subscriptions.get(channel);
    if (subscription !== undefined) this.#drop(session, subscription);
  }

  /**
   * Replaces the session's identity by a fresh token's.
   * @returns the channels that have ended, as `dropUncovered`
   * @throws ProtocolError `forbidden` for the token of another user
   */
  renew(session: Session, identity: Identity, isWanted?: ChannelFilter): EndedChannel[] {
    assertSameUser(session.identity, identity);
    session.identity = identity;
    this.#tokenEnds.expect(identity.expiresAt);
    return this.dropUncovered(session, isWanted);
  }

  /** Ends the subscriptions that the session's rights do not cover any more (ISO), or that are not wanted. */
  dropUncovered(session: Session, isWanted: ChannelFilter = () => true): EndedChannel[] {
    const isOver = (channel: string) => !session.mayHear(channel) || !isWanted(channel);
    const over = [...session.subscriptions.values()].filter(({ channel }) => isOver(channel));
    // A cursor says what the client has seen; while its own one is not answered, that is not known here.
    const ended = over.map(({ channel, bound, outcome: { cursor } }) => ({
      channel,
      cursor: bound ? undefined : cursor,
    }));
    for (const subscription of over) this.#drop(session, subscription);
    return ended;
  }

  deliver(publication: Publication): void {
    const channel = this.#channels.get(publication.channel);
    if (channel === undefined) return;
    this.#counters.publications += 1;
    this.#journal?.note(publication);
    channel.deliver(publication);
  }

  resync(channel: string, position: Position | undefined): void {
    this.#deps.telemetry.report({ type: 'resync', channel });
    this.#channels.get(channel)?.resync(position);
  }

  epochChanged(channel: string, position: Position): void {
    this.#channels.get(channel)?.epochChanged(position);
  }

  /** Stops the hub's timers; sessions are closed by their transports. */
  close(): void {
    this.#stopSweep();
    this.#sessionDeps.flusher.close();
    this.#backlogs.close();
    this.replays.close();
    this.#reportMessages();
    this.#channels.close();
  }

  #add(session: Session, channel: string, accepts: Filter | undefined): Subscription {
    const local = this.#channels.enter(channel);
    const { name } = local; // shared, because each client brings a copy of the text
    const subscription = new Subscription(session, name, accepts);
    const rule = this.#options.slowConsumerRules(name);
    if (rule !== undefined) subscription.setSlowConsumerRule(rule, this.#backlogs.add);
    session.subscriptions.set(name, subscription);
    this.#channels.add(local, subscription);
    return subscription;
  }

  #drop(session: Session, subscription: Subscription): void {
    const { channel } = subscription;
    subscription.end();
    this.#backlogs.remove(subscription);
    if (session.subscriptions.get(channel) === subscription) session.subscriptions.delete(channel);
    this.#channels.remove(subscription);
  }

  #noteSlow(session: Session, queuedBytes: number): void {
    const { id: sessionId } = session;
    this.#deps.telemetry.report({ type: 'slow_consumer', sessionId, queuedBytes });
    for (const channel of session.subscriptions.keys()) {
      const delivered = this.#channels.get(channel)?.deliveredBytes ?? 0;
      this.#journal?.noteSlow(channel, delivered, queuedBytes);
    }
  }

  #countUser(session: Session, change: 1 | -1): void {
    const { userId } = session.identity;
    if (userId === undefined) return;
    this.#deps.state.setUserConnections(userId, this.#userSessions.add(userId, change));
  }

  #sweep(): void {
    this.#tokenEnds.closeExpired(this.#sessions, this.#deps.clock.now());
    this.#reportMessages();
  }

  #reportMessages(): void {
    const { messagesSent } = this.#counters;
    if (messagesSent === this.#reportedMessages) return;
    this.#deps.state.addTotals({ messagesSent: messagesSent - this.#reportedMessages });
    this.#reportedMessages = messagesSent;
  }
}

function assertKept(session: Session, subscription: Subscription): void {
  if (session.subscriptions.get(subscription.channel) !== subscription) throw sessionEnded();
}

function sessionEnded(): ProtocolError {
  return new ProtocolError('unavailable', 'session closed while subscribing');
}

function cannotContinue(channel: string): [CloseCode, string] {
  return [CLOSE.tryAgainLater, `what was missed in ${channel.slice(0, 64)} cannot be read now`];
}
