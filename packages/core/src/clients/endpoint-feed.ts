import { FIREHOSE } from '@leque/protocol';
import type { Identity } from '../access/grants.ts';
import type { Hub, SubscribeOptions } from '../fan-out/hub.ts';
import type { Session } from '../fan-out/session.ts';
import type { Subscription } from '../fan-out/subscription.ts';
import { carriesProjects, type Endpoint } from './endpoint.ts';
import { acceptsAfter, ProjectSwitch } from './project-switch.ts';

/** The client that has the feed: a `ClientSession`. */
interface FeedOwner {
  readonly session: Session;
  readonly context: { readonly hub: Hub };
}

/** The subscriptions of one session: those that its endpoint gives, and those that it selects. */
export class EndpointFeed {
  readonly endpoint: Endpoint;
  readonly #client: FeedOwner;
  /** All projects that the token grants, until the client selects some of them. */
  #projects: 'granted' | 'selected' = 'granted';

  constructor(client: FeedOwner, endpoint: Endpoint) {
    this.#client = client;
    this.endpoint = endpoint;
  }

  /** Subscribes to the channels that the endpoint gives without asking and that are missing. */
  async open(): Promise<void> {
    const { subscriptions, identity } = this.#session;
    const wanted = this.endpoint
      .channels(identity)
      .filter((channel) => !subscriptions.has(channel))
      .filter((channel) => this.#projects === 'granted' || !carriesProjects(channel));
    const { accepts } = this.endpoint;
    const options = accepts === undefined ? {} : { accepts };
    await Promise.all(wanted.map((channel) => this.#subscribe(channel, options)));
    if (wanted.includes(FIREHOSE)) await this.#leaveProjects();
  }

  /** Subscribes to a project that the client selects. */
  async subscribe(channel: string, options: SubscribeOptions): Promise<Subscription> {
    await this.turnTo([channel], options.since !== undefined);
    const subscription = await this.#subscribe(channel, options);
    this.select(channel);
    return subscription;
  }

  /** Leaves a project; the client then gets only the projects that it has selected. */
  unsubscribe(channel: string): void {
    // The firehose cannot leave one project out.
    if (this.#session.subscriptions.has(FIREHOSE)) this.select(channel);
    this.#hub.unsubscribe(this.#session, channel);
  }

  /**
   * Leaves the firehose for projects that are subscribed to next. When what the firehose would bring
   * still waits, the cursors lead to the same publications, and it only stops bringing these.
   */
  async turnTo(channels: readonly string[], withCursors: boolean): Promise<void> {
    const firehose = this.#session.subscriptions.get(FIREHOSE);
    const [first] = channels;
    if (firehose === undefined || first === undefined) return;
    if (withCursors && firehose.holding) {
      // If it has to flow nevertheless (MEM), these channels bring the same, and more (DUP).
      firehose.accepts = ({ origin }) => !channels.includes(origin);
      return;
    }
    await this.#leaveFirehose(firehose, channels, () => this.select(first));
  }

  /** The client had selected its projects before it came back. */
  continueSelection(): void {
    this.#projects = 'selected';
  }

  /**
   * Continues with a fresh token.
   * @throws ProtocolError as `Hub.renew`
   */
  async renew(identity: Identity): Promise<void> {
    const renew = () => this.#hub.renew(this.#session, identity);
    const firehose = this.#session.subscriptions.get(FIREHOSE);
    const given = this.endpoint.channels(identity);
    if (firehose === undefined || given.includes(FIREHOSE)) renew();
    else await this.#leaveFirehose(firehose, given.filter(carriesProjects), renew);
    await this.open();
  }

  /** From its first selection on, a client gets only the projects that it selected. */
  select(...channels: readonly string[]): void {
    if (this.#projects === 'selected') return;
    this.#projects = 'selected';
    for (const other of this.endpoint.channels(this.#session.identity)) {
      if (carriesProjects(other) && !channels.includes(other))
        this.#hub.unsubscribe(this.#session, other);
    }
  }

  get #session(): Session {
    return this.#client.session;
  }

  get #hub(): Hub {
    return this.#client.context.hub;
  }

  #subscribe(channel: string, options: SubscribeOptions = {}): Promise<Subscription> {
    return this.#hub.subscribe(this.#session, channel, options);
  }

  /**
   * Changes from the firehose to channels of projects. `leave` ends the firehose once it has brought
   * what was published before these channels begin (GAP); they continue where it ends (DUP).
   */
  async #leaveFirehose(
    firehose: Subscription,
    channels: readonly string[],
    leave: () => void,
  ): Promise<void> {
    using change = new ProjectSwitch(firehose);
    firehose.start();
    try {
      const subscribing = channels.map((channel) => this.#subscribe(channel));
      const projects = await Promise.all(subscribing);
      await this.#hub.catchUp(FIREHOSE);
      for (const project of projects) change.finish(project);
      leave();
    } catch (error) {
      for (const channel of channels) this.#hub.unsubscribe(this.#session, channel);
      throw error;
    }
  }

  /**
   * Changes from channels of projects to the firehose, which is still held back. They end once they
   * have brought what was published before it begins (GAP); it continues where they end (DUP).
   */
  async #leaveProjects(): Promise<void> {
    const { subscriptions } = this.#session;
    const firehose = subscriptions.get(FIREHOSE);
    const left = [...subscriptions.keys()].filter(
      (channel) => channel !== FIREHOSE && carriesProjects(channel),
    );
    if (firehose === undefined || left.length === 0) return;
    for (const channel of left) subscriptions.get(channel)?.start();
    try {
      await this.#hub.catchUp(FIREHOSE);
    } catch (error) {
      this.#hub.unsubscribe(this.#session, FIREHOSE);
      throw error;
    }
    const ends = left.map((channel) => [channel, subscriptions.get(channel)?.position] as const);
    firehose.accepts = acceptsAfter(new Map(ends));
    for (const channel of left) this.#hub.unsubscribe(this.#session, channel);
    // Its copies of their last publications may still come; until then it keeps its filter.
    await this.#hub.catchUp(FIREHOSE);
    firehose.start();
    firehose.accepts = undefined;
  }
}
