import { FIREHOSE, ProtocolError, tryParseCursor } from '@leque/protocol';
import { assertSameUser, type Identity, mayHear } from '../access/grants.ts';
import type { Hub } from '../fan-out/hub.ts';
import type { ChannelFilter, Session } from '../fan-out/session.ts';
import type { Subscription } from '../fan-out/subscription.ts';
import { SmallSet } from '../lib/small-set.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { assertChannelsFit } from './authorize.ts';
import { carriesProjects, type Endpoint, offersChannel } from './endpoint.ts';
import { FirehoseShare } from './firehose-share.ts';
import {
  type PresentedCursors,
  type Renewal,
  type ResumeResults,
  resumeChannels,
  type SubscribeResults,
} from './resume-results.ts';
import type { TransportLimits } from './transport.ts';

/** The client that has the feed: a `ClientSession`. */
interface FeedOwner {
  readonly session: Session;
  readonly context: {
    readonly hub: Hub;
    readonly telemetry: Telemetry;
    readonly limits: Pick<TransportLimits, 'maxSubscriptions'>;
  };
  /** Takes a fresh token, and names the channels that end with it to the client. */
  renew(identity: Identity, isWanted: ChannelFilter): readonly string[];
  /** Names channels to the client that are subscribed again, because its rights cover them again. */
  returned(channels: readonly string[]): void;
}

/** `all` and the user's own channel, which a session has beside its projects. */
const OTHER_CHANNELS = 2;
const NO_CURSORS: PresentedCursors = new Map();
const NONE: readonly never[] = [];

/**
 * The subscriptions of one session: those that its endpoint gives, and the projects that it has chosen, as
 * far as its rights cover them (rule HR of PROTOCOL.md).
 */
export class EndpointFeed {
  readonly endpoint: Endpoint;
  readonly #client: FeedOwner;
  /** Undefined until the client chooses, because most clients never do. */
  #chosen: SmallSet<string> | undefined;
  /** Whether the projects are those that the token names, because the client has not selected any. */
  #takesAll = true;
  /** Undefined for a session that never had the firehose beside channels of projects. */
  #share: FirehoseShare | undefined;

  constructor(client: FeedOwner, endpoint: Endpoint) {
    this.#client = client;
    this.endpoint = endpoint;
    if (endpoint.isChoice === undefined) return;
    this.#takesAll = false;
    this.#choose(endpoint.channels(client.session.identity));
  }

  /** Subscribes to the channels that the session should hear and that are missing. */
  async open(): Promise<void> {
    await this.#openMissing(NONE);
  }

  /**
   * Subscribes to a project that the client selects.
   * @throws ProtocolError as `Hub.subscribe`
   */
  async subscribe(
    channel: string,
    cursor: string | undefined,
  ): Promise<{ readonly subscription: Subscription; readonly ended: readonly string[] }> {
    this.#assertOffered(channel);
    await this.#setApart([channel], new Map([[channel, cursor]]));
    try {
      const subscription = await this.#begin(channel, cursor);
      const ended = this.#select([channel]);
      await this.#reopen();
      return { subscription, ended };
    } finally {
      this.#share?.settle();
    }
  }

  /** Subscribes to projects that the client selects; each has its own result. */
  async subscribeAll(cursors: PresentedCursors): Promise<SubscribeResults> {
    const channels = [...cursors.keys()];
    await this.#setApart(
      channels.filter((channel) => this.#isSelectable(channel)),
      cursors,
    );
    const results = await this.#beginEach(cursors);
    const subscribed = channels.filter((channel) => this.#subscriptions.has(channel));
    const ended = subscribed.length > 0 ? this.#select(subscribed) : NONE;
    await this.#reopen();
    return { results, subscribed, ended };
  }

  /**
   * Leaves projects. The client then gets only the others that it has got by their own channels.
   * @returns the other channels that have ended
   * @throws ProtocolError `forbidden`
   */
  unsubscribe(channels: readonly string[]): readonly string[] {
    for (const channel of channels) this.#assertOffered(channel);
    if (this.#takesAll) this.#choose(this.#given().filter((channel) => channel !== FIREHOSE));
    for (const channel of channels) this.#chosen?.delete(channel);
    this.#takesAll = false;
    return this.#dropUnchosen().filter((channel) => !channels.includes(channel));
  }

  /** Leaves all projects. @returns the channels that have ended */
  unsubscribeAll(): readonly string[] {
    this.#takesAll = false;
    this.#chosen = undefined;
    return this.#dropUnchosen();
  }

  /**
   * Continues with the channels for which the client presents cursors. It selects nothing: no channel ends.
   * A project that the session does not hear yet is one of its own from then on.
   */
  async resume(cursors: PresentedCursors): Promise<ResumeResults> {
    const results = await this.#resume(cursors);
    await this.#reopen();
    return results;
  }

  /**
   * Notes that the client goes on with these channels.
   * @param hasSelected whether it has selected its projects on an earlier connection
   */
  continueWith(channels: readonly string[], hasSelected = false): void {
    if (hasSelected) this.#takesAll = false;
    const given = new Set(this.#given());
    if (given.has(FIREHOSE)) return;
    const isOwn = (channel: string) => carriesProjects(channel) && !given.has(channel);
    this.#choose(channels.filter((channel) => isOwn(channel) && this.#subscriptions.has(channel)));
  }

  /**
   * Continues with a fresh token, and with the cursors that came with it. Nothing is changed when it throws
   * `forbidden` or `too_many_subscriptions`.
   * @throws ProtocolError as `Hub.renew` and `Hub.subscribe`
   */
  async renew(identity: Identity, cursors = NO_CURSORS): Promise<Renewal> {
    assertSameUser(this.#session.identity, identity);
    const wanted = this.#wanted(identity);
    assertChannelsFit(wanted, this.#client.context);
    const projects = wanted.filter((channel) => carriesProjects(channel) && channel !== FIREHOSE);
    const hasFirehose = wanted.includes(FIREHOSE);
    if (!hasFirehose) {
      await this.#setApart(projects.filter((channel) => !this.#subscriptions.has(channel)));
    }
    const replaced = this.#unchosen().filter((channel) => !cursors.has(channel));
    const absent = this.#absent();
    const ended = this.#client.renew(
      identity,
      (channel) => hasFirehose || !carriesProjects(channel) || wanted.includes(channel),
    );
    const results = await this.#resume(cursors);
    await this.#openMissing(replaced);
    this.#client.returned(absent.filter((channel) => this.#subscriptions.has(channel)));
    return { ended, results };
  }

  get #session(): Session {
    return this.#client.session;
  }

  get #subscriptions(): Session['subscriptions'] {
    return this.#session.subscriptions;
  }

  /** The projects that come without being chosen. */
  #given(identity = this.#session.identity): readonly string[] {
    return this.#takesAll ? this.endpoint.channels(identity).filter(carriesProjects) : NONE;
  }

  /** The channels that the session should hear. */
  #wanted(identity = this.#session.identity): readonly string[] {
    const others = this.endpoint.channels(identity).filter((channel) => !carriesProjects(channel));
    const wanted = new Set([...others, ...this.#given(identity), ...(this.#chosen ?? NONE)]);
    const { rooms } = this.#session;
    return [...wanted].filter((channel) => mayHear({ identity, rooms }, channel));
  }

  async #resume(cursors: PresentedCursors): Promise<ResumeResults> {
    const channels = [...cursors.keys()];
    const begun = channels.filter(
      (channel) => !this.#subscriptions.has(channel) && this.#isSelectable(channel),
    );
    await this.#setApart(begun, cursors);
    const results = await this.#beginEach(cursors);
    this.continueWith(begun);
    return results;
  }

  /** Subscribes again to chosen projects, because a grant that came with the command covers them. */
  async #reopen(): Promise<void> {
    const back = this.#absent().filter((channel) => this.#session.mayHear(channel));
    const { hub } = this.#client.context;
    await Promise.all(back.map((channel) => hub.subscribe(this.#session, channel)));
    this.#client.returned(back);
  }

  /** @param replaced the channels that the firehose takes the place of, when it begins */
  async #openMissing(replaced: readonly string[]): Promise<void> {
    const missing = this.#wanted().filter((channel) => !this.#subscriptions.has(channel));
    const { accepts } = this.endpoint;
    const options = accepts === undefined ? {} : { accepts };
    const { hub } = this.#client.context;
    await Promise.all(missing.map((channel) => hub.subscribe(this.#session, channel, options)));
    if (missing.includes(FIREHOSE)) await this.#shareOf().begin(replaced);
  }

  /** From its first selection on, a client gets only the projects that it has chosen. */
  #select(channels: readonly string[]): readonly string[] {
    this.#choose(channels);
    if (!this.#takesAll) return NONE;
    this.#takesAll = false;
    return this.#dropUnchosen();
  }

  /** Projects whose rights have ended are forgotten when there are too many, the oldest first (MEM). */
  #choose(channels: readonly string[]): void {
    if (channels.length === 0) return;
    const { maxSubscriptions } = this.#client.context.limits;
    this.#chosen ??= new SmallSet();
    for (const channel of channels) this.#chosen.add(channel);
    for (const channel of this.#chosen) {
      const isTooMany = this.#chosen.size > maxSubscriptions - OTHER_CHANNELS;
      if (isTooMany && !this.#subscriptions.has(channel)) this.#chosen.delete(channel);
    }
  }

  #dropUnchosen(): readonly string[] {
    const ended = this.#unchosen();
    for (const channel of ended) this.#client.context.hub.unsubscribe(this.#session, channel);
    if (!this.#subscriptions.has(FIREHOSE)) this.#share = undefined;
    return ended;
  }

  /** The projects that the client has chosen, and is not subscribed to. */
  #absent(): string[] {
    return [...(this.#chosen ?? NONE)].filter((channel) => !this.#subscriptions.has(channel));
  }

  /** The subscribed channels of projects that the client has not chosen. */
  #unchosen(): string[] {
    return [...this.#subscriptions.keys()].filter(
      (channel) => carriesProjects(channel) && this.#chosen?.has(channel) !== true,
    );
  }

  async #setApart(channels: readonly string[], cursors = NO_CURSORS): Promise<void> {
    if (!this.#subscriptions.has(FIREHOSE) || channels.length === 0) return;
    const bound = channels.filter((channel) => cursors.get(channel) !== undefined);
    const others = channels.filter((channel) => cursors.get(channel) === undefined);
    await this.#shareOf().setApart(bound, others);
  }

  #shareOf(): FirehoseShare {
    this.#share ??= new FirehoseShare(this.#session, this.#client.context.hub);
    return this.#share;
  }

  /** Each channel that is subscribed, or may be, begins after its cursor. */
  async #beginEach(cursors: PresentedCursors): Promise<ResumeResults> {
    const { telemetry } = this.#client.context;
    try {
      return await resumeChannels(telemetry, [...cursors.keys()], (channel) => {
        if (!this.#subscriptions.has(channel)) this.#assertOffered(channel);
        return this.#begin(channel, cursors.get(channel));
      });
    } finally {
      this.#share?.settle();
    }
  }

  async #begin(channel: string, cursor: string | undefined): Promise<Subscription> {
    const since = tryParseCursor(cursor ?? '');
    const options = since === undefined ? {} : { since };
    const subscription = await this.#client.context.hub.subscribe(this.#session, channel, options);
    // No history reaches back to a text that is no cursor.
    if (cursor !== undefined && since === undefined) subscription.giveUpRecovery();
    return subscription;
  }

  #isSelectable(channel: string): boolean {
    return offersChannel(this.endpoint, channel) && this.#session.mayHear(channel);
  }

  #assertOffered(channel: string): void {
    if (offersChannel(this.endpoint, channel)) return;
    throw new ProtocolError('forbidden', `this endpoint does not offer ${channel}`);
  }
}
