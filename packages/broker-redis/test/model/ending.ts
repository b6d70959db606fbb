import { CHANNELS, type Fault, LOGS } from './profile.ts';
import type { SimulatedClient } from './simulated-client.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Simulation } from './simulation.ts';

/** Faults that nobody notices before the next publication. */
const HIDDEN: readonly Fault[] = ['drop', 'forget'];
/** Longer than every deadline. */
const PATIENCE_MS = 20_000;

/** Checks what has to hold once nothing is broken any more, and once all clients have left. */
export class Ending {
  readonly #simulation: Simulation;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  async play(): Promise<void> {
    const { clients, redis } = this.#simulation;
    redis.refuseOnlyResumes();
    for (const client of clients) client.pause(false);
    await this.#revealDropped();
    await this.#wait('GAP', () => this.#behind());
    for (const channel of CHANNELS) await this.#publishLast(channel);
    await this.#wait('MEM', () => this.#held());
    for (const client of clients) client.cut();
    await this.#wait('LIVE', () => this.#remains());
    await this.#close();
    await this.#wait('LIVE', () => this.#timers());
  }

  async #wait(invariant: string, find: () => string | undefined): Promise<void> {
    const { scheduler } = this.#simulation;
    if (this.#simulation.failed) return;
    const isDone = await scheduler.runUntil(() => find() === undefined, PATIENCE_MS);
    if (!isDone)
      this.#simulation.violate(`${invariant}: ${find() ?? 'something always remains to be done'}`);
  }

  /** Publishes once more, because a dropped message, or lost data, shows only with the next one. */
  async #revealDropped(): Promise<void> {
    const { profile, nodes, redis, scheduler } = this.#simulation;
    if (!HIDDEN.some((fault) => profile.faults.includes(fault))) return;
    await scheduler.runUntil(
      () => nodes.every(({ problem }) => problem === undefined),
      PATIENCE_MS,
    );
    for (const { connections } of nodes) for (const each of connections) each.dropsNext = false;
    for (const channel of CHANNELS) redis.publish(channel);
  }

  async #publishLast(channel: string): Promise<void> {
    const { redis, clients, profile } = this.#simulation;
    const number = redis.publish(channel);
    // In a channel without positions a slow client may have been left out.
    const mayBeLeftOut = channel === LOGS && profile.hub.slowConsumerRules(LOGS) !== undefined;
    await this.#wait('GAP', () => {
      return firstOf(clients, ({ name, subscribed }) => {
        const { last = mayBeLeftOut ? number : undefined } = subscribed.get(channel) ?? {};
        const isThere = !subscribed.has(channel) || last === number;
        return isThere ? undefined : `${name} never gets ${number} in ${channel}`;
      });
    });
  }

  #behind(): string | undefined {
    const { nodes, clients } = this.#simulation;
    const lost = nodes.find(({ problem }) => problem !== undefined);
    if (lost !== undefined) return `${lost.name} does not come back: ${lost.problem}`;
    return firstOf(clients, (client) => this.#clientBehind(client));
  }

  #clientBehind({ name, quiet, subscribed }: SimulatedClient): string | undefined {
    if (!quiet) return `${name} never gets its answer`;
    return firstOf(subscribed, ([channel, { last }]) => {
      const top = this.#simulation.redis.topOf(channel);
      if (channel === LOGS || last === undefined || last === top) return undefined;
      return `${name} in ${channel} never gets from ${last} to ${top}`;
    });
  }

  #held(): string | undefined {
    const sessions = this.#simulation.nodes.flatMap((node) => [...node.sessions]);
    const holding = sessions.find(({ session }) => session.heldBytes !== 0);
    return holding && `${holding.session.heldBytes} bytes are counted as held`;
  }

  #remains(): string | undefined {
    const { nodes, redis } = this.#simulation;
    const subscribed = [...redis.sockets].flatMap(({ subscriptions }) => [...subscriptions]);
    const needless = subscribed.find((redisChannel) => !redisChannel.includes('node:'));
    return firstOf(nodes, remainsOf) ?? (needless && `${needless} is subscribed`);
  }

  async #close(): Promise<void> {
    const { nodes, scheduler } = this.#simulation;
    for (const node of nodes) await scheduler.run(node.process, () => void node.close());
  }

  #timers(): string | undefined {
    const { nodes, scheduler } = this.#simulation;
    const left = nodes.find((node) => scheduler.timersOf(node.process) > 0);
    return left && `${left.name} still has timers`;
  }
}

function remainsOf({ hub, stated, name, failures }: SimulatedNode): string | undefined {
  if (failures.length > 0) return `${name} reported ${failures[0]}`;
  if (hub.sessions.size > 0) return `${name} has a session`;
  if (hub.channelCount > 0) return `${name} has a channel`;
  const isCounting = stated.connections > 0 || stated.subscribers.size > 0;
  return isCounting ? `${name} counts clients that have left` : undefined;
}

function firstOf<T>(all: Iterable<T>, find: (each: T) => string | undefined): string | undefined {
  for (const each of all) {
    const found = find(each);
    if (found !== undefined) return found;
  }
  return undefined;
}
