import {
  type Cancel,
  CommandQueue,
  type Connection,
  type Hub,
  type Identity,
  outcomeOrRefusal,
  outcomesOf,
  type Session,
  type Told,
} from '@leque/core';
import { type CloseCode, type Cursor, parseCursor } from '@leque/protocol';
import type { SimulatedProcess } from './scheduler.ts';
import { frameOf, type Message } from './wire-format.ts';

export type Cursors = Readonly<Record<string, Cursor>>;

export type Command =
  | { readonly kind: 'subscribe'; readonly channel: string; readonly since: Cursor | undefined }
  | { readonly kind: 'unsubscribe'; readonly channel: string }
  | { readonly kind: 'resume'; readonly cursors: Cursors }
  | { readonly kind: 'renew'; readonly identity: Identity };

/** With cursors, like Socket.IO clients; or without, which holds publications back for a moment. */
export type Opening =
  | { readonly kind: 'cursors'; readonly channels: readonly string[]; readonly cursors: Cursors }
  | { readonly kind: 'hold'; readonly channels: readonly string[] };

const HOLD_MS = 5;
const MAX_COMMANDS = 50;
const TRY_AGAIN_LATER: CloseCode = 1013;

/** The node of the session. */
export interface HostNode {
  readonly hub: Hub;
  readonly process: SimulatedProcess;
  readonly sessions: Set<GatewaySession>;
  readonly failures: unknown[];
  /** Steps of the scheduler until now. */
  readonly steps: number;
}

/** Uses the core the way the transports do, without a protocol. */
export class GatewaySession {
  readonly session: Session;
  /** What its tokens allowed, and from which step on. */
  readonly identities: { readonly identity: Identity; readonly step: number }[] = [];
  readonly #node: HostNode;
  readonly #commands: CommandQueue;
  #cancelHold: Cancel = nothing;

  constructor(node: HostNode, wire: Connection, init: { identity: Identity; opening: Opening }) {
    this.#node = node;
    this.session = node.hub.open(wire, init.identity);
    this.identities.push({ identity: init.identity, step: node.steps });
    const failed = () => this.session.close(TRY_AGAIN_LATER, 'cannot receive publications now');
    this.#commands = new CommandQueue(MAX_COMMANDS, { failed });
    this.#commands.push(() => this.#open(init.opening));
  }

  receive(command: Command): void {
    this.#commands.push(async () => {
      if (!this.session.open) return;
      this.#cancelHold();
      this.#cancelHold = nothing;
      await this.#run(command);
      this.#flow();
    });
  }

  /** Ends the session after the client's connection has gone. */
  end(): void {
    this.#cancelHold();
    this.#node.sessions.delete(this);
    this.#node.hub.remove(this.session);
  }

  async #open(opening: Opening): Promise<void> {
    const { hub, process } = this.#node;
    if (opening.kind === 'hold') {
      await Promise.all(opening.channels.map((channel) => hub.subscribe(this.session, channel)));
      this.#cancelHold = process.after(HOLD_MS, () => {
        this.#cancelHold = nothing;
        this.#flow();
      });
      return;
    }
    await this.#resume(opening.channels, opening.cursors);
    this.#flow();
  }

  async #run(command: Command): Promise<void> {
    const { hub } = this.#node;
    if (command.kind === 'unsubscribe') {
      hub.unsubscribe(this.session, command.channel);
      this.#answer({ kind: 'unsubscribed', channel: command.channel });
    } else if (command.kind === 'renew') {
      hub.renew(this.session, command.identity);
      this.identities.push({ identity: command.identity, step: this.#node.steps });
      this.#answer({ kind: 'renewed' });
    } else if (command.kind === 'resume') {
      await this.#resume(Object.keys(command.cursors), command.cursors);
    } else {
      const { channel, since } = command;
      await this.#resume([channel], since === undefined ? {} : { [channel]: since });
    }
  }

  /** Answers the outcomes of all channels at once. */
  async #resume(channels: readonly string[], cursors: Cursors): Promise<void> {
    const told = await Promise.all(
      channels.map(async (channel): Promise<[string, Told]> => {
        return [channel, await this.#subscribe(channel, cursors[channel])];
      }),
    );
    const outcomes = Object.entries(outcomesOf(told));
    this.#answer({ kind: 'outcomes', outcomes });
  }

  #subscribe(channel: string, cursor: Cursor | undefined): Promise<Told> {
    const { hub, failures } = this.#node;
    const telemetry = { report: (fact: object) => void failures.push(fact) };
    return outcomeOrRefusal(telemetry, async () => {
      const options = cursor === undefined ? {} : { since: parseCursor(cursor) };
      return await hub.subscribe(this.session, channel, options);
    });
  }

  #answer(message: Message): void {
    this.session.send(frameOf(message), 1);
  }

  #flow(): void {
    for (const subscription of this.session.subscriptions.values()) subscription.start();
  }
}

function nothing(): void {}
