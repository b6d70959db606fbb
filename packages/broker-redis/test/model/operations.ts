import { Grants, type Identity } from '@leque/core';
import { type Fault, PROJECTS, USER } from './profile.ts';
import type { SimulatedClient } from './simulated-client.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Simulation } from './simulation.ts';

/** Indices of a node's connections, in the order in which it opens them. */
const [COMMANDS, SUBSCRIBER] = [0, 1];

/** Shorter and longer than a command may take, and than histories are tried to be read. */
const PAUSES_MS = [300, 1200, 7000];
/** Reads of histories that fail in a row; more than are tried for one cursor. */
const REFUSED_READS = [1, 3, 20];

const EVICTED = ['meta', 'log', 'history', 'data set'] as const;

/** Decides what publishers, clients and faults do next. */
export class Operations {
  readonly #simulation: Simulation;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  async next(): Promise<void> {
    const { random, profile, clients, nodes } = this.#simulation;
    const client = random.pick(clients);
    if (random.chance(0.4)) this.#publish();
    else if (random.chance(0.03)) await this.#storm();
    else if (random.chance(0.15)) await this.#disturb(random.pick(profile.faults));
    else if (!client.connected) await this.#connect(client, random.pick(nodes));
    else if (random.chance(0.2)) this.#cut(client);
    else this.#command(client);
  }

  #publish(): void {
    const { random, redis, profile } = this.#simulation;
    const channel = random.pick(profile.channels);
    const count = random.pick([1, 1, 2, 5, 10]);
    for (let n = 0; n < count; n += 1) {
      if (random.chance(0.2)) {
        const isPlaced = random.chance(0.7);
        const how = isPlaced ? 'send' : 'PUBLISH';
        this.#note(`${how} ${redis.sendLive(channel, isPlaced)} in ${channel}`);
      }
      this.#note(`publish ${redis.publish(channel)} in ${channel}`);
    }
  }

  /** Connects all clients to the same node at once, while events are published. */
  async #storm(): Promise<void> {
    const { random, nodes, clients, scheduler } = this.#simulation;
    const node = random.pick(nodes);
    for (const client of clients) {
      this.#cut(client);
      await this.#connect(client, node);
      for (let step = random.below(6); step > 0; step -= 1) await scheduler.step();
      if (random.chance(0.5)) this.#publish();
    }
  }

  async #connect(client: SimulatedClient, node: SimulatedNode): Promise<void> {
    const { random, scheduler, profile } = this.#simulation;
    const identity = this.#identity();
    const allowed = profile.channels.filter((channel) => identity.grants.covers(channel));
    const channels = random.subset(allowed);
    const resumes = random.chance(0.8);
    const cursors = resumes ? client.cursors(channels) : {};
    const kind = random.pick(['cursors', 'hold'] as const);
    this.#note(`${client.name} connects to ${node.name}, ${kind} ${channels} ${show(cursors)}`);
    await scheduler.run(node.process, () => {
      client.connect(node, identity, { kind, channels, cursors, resumes });
    });
  }

  #cut(client: SimulatedClient): void {
    this.#note(`${client.name} is cut off`);
    client.cut();
  }

  #command(client: SimulatedClient): void {
    const { random, profile } = this.#simulation;
    const channel = random.pick(profile.channels);
    const kind = random.pick(['subscribe', 'subscribe', 'unsubscribe', 'resume', 'renew']);
    if (kind === 'subscribe') {
      const since = random.chance(0.7) ? client.cursors([channel])[channel] : undefined;
      this.#note(`${client.name} subscribes to ${channel} since ${since}`);
      client.send({ kind, channel, since });
    } else if (kind === 'unsubscribe') {
      this.#note(`${client.name} unsubscribes from ${channel}`);
      client.send({ kind, channel });
    } else if (kind === 'resume') {
      const cursors = client.cursors(random.subset(profile.channels));
      this.#note(`${client.name} resumes ${show(cursors)}`);
      client.send({ kind, cursors });
    } else {
      const identity = this.#identity();
      this.#note(`${client.name} renews its token, for ${identity.grants.projects}`);
      client.send({ kind: 'renew', identity });
    }
  }

  async #disturb(fault: Fault): Promise<void> {
    const { random, nodes, redis, clients, profile } = this.#simulation;
    const node = random.pick(nodes);
    const index = random.pick([COMMANDS, SUBSCRIBER, SUBSCRIBER]);
    const connection = node.connections[index];
    this.#note(`${fault} (${node.name}, connection ${index})`);
    if (fault === 'cut') connection?.cut();
    else if (fault === 'freeze') connection?.freeze();
    else if (fault === 'restart') this.#restart('nothing');
    else if (fault === 'lose') this.#lose();
    else if (fault === 'forget') this.#forget();
    else if (fault === 'repeat') redis.sendAgain(random.pick(profile.channels), random);
    else if (fault === 'drop') this.#drop(node);
    else if (fault === 'pause') connection?.pause(random.pick(PAUSES_MS));
    else if (fault === 'refuse') redis.refuseReads(random.pick(REFUSED_READS));
    else if (fault === 'slow') random.pick(clients).pause(random.chance(0.7));
    else await this.#kill(node);
  }

  #drop({ connections }: SimulatedNode): void {
    const subscriber = connections[SUBSCRIBER];
    if (subscriber !== undefined) subscriber.dropsNext = true;
  }

  /** Loses everything, or what came after the saved moment; or saves this moment. */
  #lose(): void {
    const { random, redis } = this.#simulation;
    if (random.chance(0.4)) redis.save();
    else this.#restart(random.pick(['the newest', 'everything']));
  }

  /** Trims a history, evicts a key, or removes all data, while the connections stay. */
  #forget(): void {
    const { random, redis, profile } = this.#simulation;
    const how = random.pick(['trims', 'trims', 'evicts', 'removes']);
    this.#note(`Redis ${how}`);
    if (how === 'trims') redis.forgetOldest(random.pick(profile.channels), 2);
    else if (how === 'evicts') this.#evict();
    else redis.flush();
  }

  #evict(): void {
    const { random, redis, profile } = this.#simulation;
    const [channel, key] = [random.pick(profile.channels), random.pick(EVICTED)];
    this.#note(`Redis evicts the ${key} of ${channel}`);
    redis.evict(channel, key);
  }

  #restart(lost: 'nothing' | 'the newest' | 'everything'): void {
    const { nodes, redis } = this.#simulation;
    this.#note(`Redis restarts and loses ${lost}`);
    for (const { connections } of nodes) for (const each of connections) each.cut();
    redis.restart(lost);
  }

  async #kill(node: SimulatedNode): Promise<void> {
    const { nodes, clients } = this.#simulation;
    const index = nodes.indexOf(node);
    for (const client of clients) if (client.node === node) client.cut();
    node.kill();
    await this.#simulation.startNode(index);
  }

  #identity(): Identity {
    const { random } = this.#simulation;
    const projects = random.chance(0.7) ? PROJECTS : random.subset(PROJECTS);
    const grants = new Grants({ userId: USER, projects, scopes: [] });
    return { userId: USER, grants, expiresAt: undefined };
  }

  #note(what: string): void {
    this.#simulation.note(what);
  }
}

function show(cursors: object): string {
  return JSON.stringify(cursors);
}
