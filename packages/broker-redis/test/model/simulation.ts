import type { Random } from '@leque/testkit';
import { Ledger } from './ledger.ts';
import type { Profile } from './profile.ts';
import { Scheduler } from './scheduler.ts';
import { SimulatedClient } from './simulated-client.ts';
import type { Surroundings } from './simulated-connection.ts';
import { SimulatedNode } from './simulated-node.ts';
import { SimulatedRedis } from './simulated-redis.ts';
import type { Message } from './wire-format.ts';

const CLIENTS = ['ann', 'bob', 'cid'];

/** Two nodes and some clients around one Redis, with a trace of what happened. */
export class Simulation {
  /** The violated rules. */
  readonly violations: string[] = [];
  /** The events of the run, in order. */
  readonly trace: string[] = [];
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly profile: Profile;
  readonly redis: SimulatedRedis;
  readonly nodes: SimulatedNode[] = [];
  readonly clients: readonly SimulatedClient[];
  readonly #around: Surroundings;

  /** @param isDetailed whether the trace has everything that clients read */
  constructor(random: Random, profile: Profile, isDetailed: boolean) {
    this.random = random;
    this.profile = profile;
    const scheduler = new Scheduler(random);
    this.scheduler = scheduler;
    const ledger = new Ledger();
    this.redis = new SimulatedRedis(scheduler, ledger, profile);
    this.#around = { scheduler, random, redis: this.redis };
    const heard = (name: string, message: Message) => {
      if (isDetailed) this.note(`  ${name} reads ${JSON.stringify(message)}`);
    };
    const violation = (what: string) => this.violate(what);
    const network = { scheduler, ledger, violation, heard, mayMiss: !profile.isGentle };
    this.clients = CLIENTS.map((name) => new SimulatedClient(name, network));
  }

  get failed(): boolean {
    return this.violations.length > 0;
  }

  async startNode(index: number): Promise<void> {
    await this.scheduler.run(undefined, () => {
      this.nodes[index] = new SimulatedNode(`n${index}`, this.profile.hub, this.#around);
    });
  }

  note(what: string): void {
    this.trace.push(`${this.scheduler.steps}: ${what}`);
  }

  violate(what: string): void {
    this.violations.push(what);
    this.note(what);
  }
}
