import { type Clock, Pause, withDeadline } from '@leque/core';
import { ProtocolError } from '@leque/protocol';
import calculateSlot from 'cluster-key-slot';
import { type Redirection, redirectionOf } from '../connection/redis-errors.ts';
import type { Command } from '../connection/send-together.ts';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import type { RedisServer } from '../link/redis-server.ts';
import type { Master, Masters } from './masters.ts';
import type { Topology } from './topology.ts';

/** How long a command is retried after redirections. */
const FOLLOW_MS = 500;
const PAUSE_MS = 25;

/** How a command is run on one server: by `run` or by `call`. */
type Run<T> = (server: RedisServer, command: Command<T>) => Promise<T>;

export interface SlotRouterDeps {
  readonly masters: Masters;
  readonly topology: Topology;
  readonly clock: Clock;
}

/** Runs a command on the master that has the slot of its key, also while the slot is moving. */
export class SlotRouter {
  readonly #deps: SlotRouterDeps;

  constructor(deps: SlotRouterDeps) {
    this.#deps = deps;
  }

  run<T>(key: string, command: Command<T>, run: Run<T>): Promise<T> {
    const routed = this.#route(calculateSlot(key), command, run);
    return withDeadline(routed, COMMAND_DEADLINE_MS, 'Redis');
  }

  /** Resends a redirected command: a server that redirects has not executed it. */
  async #route<T>(slot: number, command: Command<T>, run: Run<T>): Promise<T> {
    const { clock } = this.#deps;
    const giveUpAt = clock.monotonic() + FOLLOW_MS;
    let importing: Master | undefined;
    for (;;) {
      const master = importing ?? this.#ownerOf(slot);
      const { server } = master;
      if (!server.ready) await server.waitForConnection(giveUpAt - clock.monotonic());
      try {
        return await run(server, importing === undefined ? command : asking(command));
      } catch (error) {
        const redirection = redirectionOf(error);
        if (redirection === undefined || clock.monotonic() > giveUpAt) throw error;
        importing = await this.#follow(slot, redirection, master);
      }
    }
  }

  /** The node to send ASKING to; undefined to retry at the slot's owner. */
  async #follow(
    slot: number,
    redirection: Redirection,
    asked: Master,
  ): Promise<Master | undefined> {
    const { masters, topology, clock } = this.#deps;
    const { kind, address = '' } = redirection;
    const named = address.startsWith(':') ? `${asked.address.host}${address}` : address;
    if (kind === 'ASK') return masters.importingNode(named);
    if (kind === 'MOVED') await topology.refresh(named);
    if (masters.ownerOf(slot) === asked) await new Pause(clock).wait(PAUSE_MS);
    return undefined;
  }

  #ownerOf(slot: number): Master {
    const owner = this.#deps.masters.ownerOf(slot);
    if (owner === undefined) {
      throw new ProtocolError('unavailable', 'Redis is away; try again later', {
        cause: new Error(`no master is known for slot ${slot}`),
      });
    }
    return owner;
  }
}

/** Precedes a command with ASKING: without it an importing node redirects the command. */
function asking<T>(command: Command<T>): Command<T> {
  return (redis) => {
    redis.asking().catch(() => {}); // the command fails too
    return command(redis);
  };
}
