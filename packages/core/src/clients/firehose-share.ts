import { FIREHOSE } from '@leque/protocol';
import type { Hub } from '../fan-out/hub.ts';
import type { Session } from '../fan-out/session.ts';
import type { Subscription } from '../fan-out/subscription.ts';
import type { Publication } from '../publication/publication.ts';
import { carriesProjects } from './endpoint.ts';
import { acceptsAfter, ProjectSwitch } from './project-switch.ts';

/**
 * The firehose of a session that is subscribed to channels of projects as well. What these channels bring
 * is left out of the firehose (DUP), and every change from one to the other loses nothing (GAP).
 */
export class FirehoseShare {
  readonly #session: Session;
  readonly #hub: Hub;
  /** The channels of projects that the firehose leaves out. */
  readonly #apart = new Set<string>();
  readonly #isShared = ({ origin }: Publication): boolean => !this.#apart.has(origin);

  constructor(session: Session, hub: Hub) {
    this.#session = session;
    this.#hub = hub;
  }

  get #firehose(): Subscription | undefined {
    return this.#session.subscriptions.get(FIREHOSE);
  }

  /**
   * Lets projects come by their own channels. Those in `bound` are subscribed next with cursors, which lead
   * to what the firehose still holds back of them; the others are subscribed here, and begin where the
   * firehose ends.
   */
  async setApart(bound: readonly string[], others: readonly string[]): Promise<void> {
    const firehose = this.#firehose;
    if (firehose === undefined) return;
    const early = firehose.holding ? bound : [];
    // If it has to flow nevertheless (MEM), these channels bring the same, and more (DUP).
    for (const channel of early) this.#apart.add(channel);
    this.#filter(firehose);
    const late = firehose.holding ? others : [...bound, ...others];
    const added = late.filter((channel) => !this.#apart.has(channel));
    if (added.length > 0) await this.#split(firehose, added);
  }

  /** Brings again the projects that are not subscribed. Call it when subscribing to them has failed. */
  settle(): void {
    for (const channel of this.#apart) {
      if (!this.#session.subscriptions.has(channel)) this.#apart.delete(channel);
    }
    this.#filter(this.#firehose);
  }

  /**
   * Begins: the firehose is subscribed and held back. It takes the place of the channels in `replaced`;
   * they end once they have brought what was published before it begins. The other channels of projects
   * stay apart.
   */
  async begin(replaced: readonly string[]): Promise<void> {
    const { subscriptions } = this.#session;
    this.#apart.clear();
    for (const channel of subscriptions.keys()) {
      const staysApart = channel !== FIREHOSE && carriesProjects(channel);
      if (staysApart && !replaced.includes(channel)) this.#apart.add(channel);
    }
    const firehose = this.#firehose;
    this.#filter(firehose);
    if (firehose !== undefined && replaced.length > 0) await this.#replace(firehose, replaced);
  }

  async #replace(firehose: Subscription, replaced: readonly string[]): Promise<void> {
    const { subscriptions } = this.#session;
    for (const channel of replaced) subscriptions.get(channel)?.start();
    try {
      await this.#hub.catchUp(FIREHOSE);
    } catch (error) {
      this.#hub.unsubscribe(this.#session, FIREHOSE);
      throw error;
    }
    const ends = replaced.map(
      (channel) => [channel, subscriptions.get(channel)?.position] as const,
    );
    const isNew = acceptsAfter(new Map(ends));
    firehose.accepts = (publication) => this.#isShared(publication) && isNew(publication);
    for (const channel of replaced) this.#hub.unsubscribe(this.#session, channel);
    // Its copies of their last publications may still come; until then it keeps its filter.
    await this.#hub.catchUp(FIREHOSE);
    firehose.start();
    this.#filter(firehose);
  }

  /**
   * Subscribes to channels of projects. The firehose leaves them out once it has brought what was
   * published before they begin; they go on where it ends.
   */
  async #split(firehose: Subscription, channels: readonly string[]): Promise<void> {
    const change = new ProjectSwitch(firehose);
    firehose.start();
    try {
      const subscribing = channels.map((channel) => this.#hub.subscribe(this.#session, channel));
      const projects = await Promise.all(subscribing);
      await this.#hub.catchUp(FIREHOSE);
      for (const project of projects) change.finish(project);
      for (const channel of channels) this.#apart.add(channel);
    } catch (error) {
      for (const channel of channels) this.#hub.unsubscribe(this.#session, channel);
      throw error;
    } finally {
      this.#filter(firehose);
    }
  }

  /** Without a filter the firehose delivers its batches whole. */
  #filter(firehose: Subscription | undefined): void {
    if (firehose !== undefined)
      firehose.accepts = this.#apart.size > 0 ? this.#isShared : undefined;
  }
}
