import {
  ClientSession,
  type CommandHandler,
  type Connection,
  type Hub,
  type Identity,
  outcomesOf,
  resumeChannels,
  type Session,
  type Telemetry,
  type TransportContext,
  type TransportLimits,
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

/** Socket.IO clients connect with cursors; raw clients without, so that publications wait. */
export type Opening =
  | { readonly kind: 'cursors'; readonly channels: readonly string[]; readonly cursors: Cursors }
  | { readonly kind: 'hold'; readonly channels: readonly string[] };

const HOLD_MS = 5;
const TRY_AGAIN_LATER: CloseCode = 1013;

/** The node that serves a session. */
export interface HostNode {
  readonly hub: Hub;
  readonly process: SimulatedProcess;
  readonly sessions: Set<GatewaySession>;
  readonly telemetry: Telemetry;
  /** Steps of the scheduler so far. */
  readonly steps: number;
}

/** A transport without a protocol of its own: what a client says and reads are plain objects. */
export class GatewaySession implements CommandHandler<Command> {
  /** The identities of the session, each with the step in which it began. */
  readonly identities: { readonly identity: Identity; readonly step: number }[] = [];
  readonly #node: HostNode;
  readonly #client: ClientSession<Command>;

  constructor(node: HostNode, wire: Connection, init: { identity: Identity; opening: Opening }) {
    this.#node = node;
    const context: Partial<TransportContext> = {
      hub: node.hub,
      clock: node.process,
      telemetry: node.telemetry,
      limits: { commands: { perSecond: 1000, burst: 1000 } } as TransportLimits,
    };
    this.#client = new ClientSession(
      { handler: this, connection: wire, context: context as TransportContext },
      init.identity,
    );
    this.identities.push({ identity: init.identity, step: node.steps });
    this.#client.begin(() => this.#open(init.opening));
  }

  get session(): Session {
    return this.#client.session;
  }

  receive(command: Command): void {
    this.#client.receive(command);
  }

  async execute(command: Command): Promise<void> {
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

  /** A command that is refused closes the session. */
  presented(): readonly string[] {
    return [];
  }

  bytesOf(): number {
    return 0;
  }

  isUrgent(): boolean {
    return false;
  }

  /** The model ends no rights beside its commands. */
  ended(): void {}

  returned(): void {}

  refuse(): void {
    this.session.close(TRY_AGAIN_LATER, 'cannot carry the command out');
  }

  /** Called when the client's connection is gone. */
  end(): void {
    this.#node.sessions.delete(this);
    this.#client.end();
  }

  async #open(opening: Opening): Promise<void> {
    const { hub } = this.#node;
    if (opening.kind === 'hold') {
      await Promise.all(opening.channels.map((channel) => hub.subscribe(this.session, channel)));
      this.#client.hold(HOLD_MS);
      return;
    }
    await this.#resume(opening.channels, opening.cursors);
    this.#client.flow();
  }

  /** Answers with the outcomes of all channels at once. */
  async #resume(channels: readonly string[], cursors: Cursors): Promise<void> {
    const results = await resumeChannels(this.#node.telemetry, channels, (channel) => {
      const cursor = cursors[channel];
      const options = cursor === undefined ? {} : { since: parseCursor(cursor) };
      return this.#node.hub.subscribe(this.session, channel, options);
    });
    this.#answer({ kind: 'outcomes', outcomes: Object.entries(outcomesOf(results)) });
  }

  #answer(message: Message): void {
    this.session.send(frameOf(message), 1);
  }
}
