import { CLOSE, ProtocolError } from '@leque/protocol';
import type { Identity } from '../access/grants.ts';
import type { ChannelFilter, EndedChannel, Session } from '../fan-out/session.ts';
import type { Subscription } from '../fan-out/subscription.ts';
import type { Cancel, Clock } from '../lib/clock.ts';
import type { Connection } from '../ports/connection.ts';
import { CommandPace } from './command-pace.ts';
import {
  type CommandOwner,
  CommandQueue,
  MAX_WAITING,
  type WaitingCommand,
} from './command-queue.ts';
import { HeldGrants } from './held-grants.ts';
import { errorForClient } from './refusals.ts';
import type { EndedForReason, EndReason } from './resume-results.ts';
import type { TransportContext } from './transport.ts';

/** A command counts as one more for each time so many channels that it names. */
const CHANNELS_PER_COMMAND = 16;
/** Commands that arrived before the client broke the protocol are answered within this time. */
const LAST_ANSWERS_MS = 1000;

/** How a transport carries out commands of its wire, and answers them. */
export interface CommandHandler<C> {
  /** Carries out one command; an error that it throws goes to `refuse`. */
  execute(command: C): void | Promise<void>;
  /** Answers a command with an error. */
  refuse(error: ProtocolError, command: C): void;
  /** The channels for which the command presents cursors. */
  presented(command: C): Presented;
  /** The size of the command's text, about. Called only when the command has to wait. */
  bytesOf(command: C): number;
  /**
   * Whether the command shows that the client is alive, or continues its session: it may overtake
   * commands that wait for the pace. Called only when the command has to wait.
   */
  isUrgent(command: C): boolean;
  /** Tells the client that a channel has ended for another reason than its command. */
  ended(channel: EndedForReason): void;
  /** Tells the client that a project which it has chosen is subscribed again. */
  returned(channel: string): void;
}

/** Channels for which a command presents cursors; `unreadable` when its cursors cannot be read. */
export type Presented = readonly string[] | 'unreadable';

export interface ClientSessionDeps<C> {
  readonly handler: CommandHandler<C>;
  readonly connection: Connection;
  readonly context: TransportContext;
}

/**
 * One client, whichever transport it came by: its session in the hub, the pace and the order of its
 * commands, the start of its subscriptions, and the facts about it. A transport's session owns one.
 */
export class ClientSession<C> implements CommandOwner {
  readonly session: Session;
  readonly context: TransportContext;
  readonly #handler: CommandHandler<C>;
  /** Undefined while no command runs. */
  #commands: CommandQueue | undefined;
  /** Undefined until the first command, because most clients give none. */
  #pace: CommandPace | undefined;
  /** Undefined when nothing is held back until a time. */
  #cancelHold: Cancel | undefined;
  /** Undefined unless the last commands are being answered. */
  #cancelLast: Cancel | undefined;
  #running = false;
  /** Undefined until the client presents a grant. */
  #grants: HeldGrants | undefined;
  /** Called when all commands are done. */
  #whenIdle: (() => void) | undefined;

  constructor({ handler, connection, context }: ClientSessionDeps<C>, identity: Identity) {
    this.#handler = handler;
    this.context = context;
    this.session = context.hub.open(connection, identity);
  }

  get clock(): Clock {
    return this.context.clock;
  }

  /** The grants that its session holds. */
  get grants(): HeldGrants {
    this.#grants ??= new HeldGrants(this);
    return this.#grants;
  }

  /**
   * Takes a fresh token.
   * @returns the channels that it does not bring; they have ended, and the client was told
   * @throws ProtocolError as `Hub.renew`
   */
  renew(identity: Identity, isWanted: ChannelFilter): readonly string[] {
    const ended = this.context.hub.renew(this.session, identity, isWanted);
    return this.#tellEnded(ended, 'not_granted');
  }

  /** Names channels to the client that are subscribed again. */
  returned(channels: readonly string[]): void {
    for (const channel of channels) this.#handler.returned(channel);
  }

  /** Ends what only grants that have expired did cover. */
  grantsExpired(): void {
    this.#tellEnded(this.context.hub.dropUncovered(this.session), 'grant_expired');
  }

  /** Runs before all commands; when it fails, the client is closed, because it would miss events. */
  begin(open: () => void | Promise<void>): void {
    this.#queue().push({ run: open, bytes: 0, isUrgent: false, channels: [] });
  }

  /** Reports that the session is open; a session that was not reported open reports no end. */
  reportOpened(): void {
    const { id: sessionId, format, identity } = this.session;
    const { userId } = identity;
    this.context.telemetry.report({
      type: 'session_opened',
      transport: format.transport,
      sessionId,
      userId,
    });
  }

  /** Takes a command. Commands run one after the other, at their pace; `CommandQueue` says how. */
  receive(command: C): void {
    const waiting = this.#waiting(command);
    if (this.#queue().push(waiting)) return;
    if (this.#commandPace().mayRefuse()) this.#refuse(tooManyCommands(), command);
    else this.session.close(CLOSE.tooManyCommands, 'too many commands');
  }

  /** Counts the command that runs as more, for the channels that it names: each may read a history. */
  charge(channels: number): void {
    this.#commandPace().take(Math.floor(channels / CHANNELS_PER_COMMAND));
  }

  /**
   * Runs `close` once the commands that have arrived are answered, or after a moment (LIVE): what a
   * client has sent before it broke the protocol is answered.
   */
  afterCommands(close: () => void): void {
    const end = () => {
      this.#endLast();
      this.session.flush();
      close();
    };
    if (this.#commands === undefined) {
      end();
      return;
    }
    this.#whenIdle = end;
    this.#cancelLast = this.clock.after(LAST_ANSWERS_MS, end);
  }

  /**
   * Holds publications back for the cursors of a client that comes back: they have to follow what
   * it missed (ORD). Ends with the first command, and after `ms` for the channels that this command
   * does not concern: a history that cannot be read delays no other channel.
   */
  hold(ms: number): void {
    this.#cancelHold = this.context.clock.after(ms, () => this.#release());
  }

  /** Starts all subscriptions, except those of which a command that waits presents a cursor. */
  flow(): void {
    this.#endHold();
    this.context.hub.replays.start(this.session, this.#unawaited());
  }

  /** Removes the session, whose connection is gone. May be called again. */
  end(): void {
    this.#endHold();
    this.#endLast();
    this.#commands?.clear();
    this.#grants?.end();
    this.context.hub.remove(this.session);
  }

  /** Removes the session and reports its end. */
  closed(code: number, reason: string): void {
    this.end();
    const { id: sessionId, format } = this.session;
    const { transport } = format;
    this.context.telemetry.report({ type: 'session_closed', transport, sessionId, code, reason });
  }

  /** Called when the session could not be opened: it might miss events without knowing it. */
  failed(error: unknown): void {
    errorForClient(error, `${this.session.format.transport} open`, this.context.telemetry);
    this.session.close(CLOSE.tryAgainLater, 'cannot receive publications now');
  }

  idle(): void {
    this.#commands = undefined;
    this.#whenIdle?.();
  }

  #queue(): CommandQueue {
    this.#commands ??= new CommandQueue(this.#commandPace(), this);
    return this.#commands;
  }

  #commandPace(): CommandPace {
    this.#pace ??= new CommandPace(this.clock, this.context.limits.commands);
    return this.#pace;
  }

  /** A cursor binds its channel from its arrival on (RE3), also while its command waits. */
  #waiting(command: C): WaitingCommand {
    const run = () => this.#run(command);
    const isNext = this.#commands === undefined && this.#commandPace().waitMs === 0;
    if (isNext) return { run, bytes: 0, isUrgent: false, channels: [] };
    const presented = this.#handler.presented(command);
    const channels = presented === 'unreadable' ? [] : presented;
    for (const channel of channels) this.session.subscriptions.get(channel)?.hold();
    const bytes = this.#handler.bytesOf(command);
    return { run, bytes, isUrgent: this.#handler.isUrgent(command), channels };
  }

  /** The subscriptions of which no command that waits presents a cursor. */
  #unawaited(): readonly Subscription[] {
    const waiting = this.#commands?.waiting ?? [];
    const awaited = new Set(waiting.flatMap(({ channels }) => channels));
    const all = [...this.session.subscriptions.values()];
    return awaited.size === 0 ? all : all.filter(({ channel }) => !awaited.has(channel));
  }

  async #run(command: C): Promise<void> {
    if (!this.session.open) return;
    this.#commandPace().take(1);
    this.#running = true; // it may bring the cursors of channels that are held back
    try {
      await this.#handler.execute(command);
    } catch (error) {
      this.#refuse(error, command);
    }
    this.#running = false;
    this.flow();
  }

  /** No cursor comes any more, unless the command that runs has brought it. */
  #release(): void {
    const free = this.#unawaited().filter(({ bound }) => !bound);
    if (this.#running) this.context.hub.replays.start(this.session, free);
    else this.flow();
  }

  /** Without an outcome, the channels to which it is subscribed would go on behind a gap (GAP). */
  #refuse(error: unknown, command: C): void {
    const { telemetry } = this.context;
    const { transport } = this.session.format;
    const refusal = errorForClient(error, `${transport} command`, telemetry);
    telemetry.report({ type: 'command_refused', transport, code: refusal.code });
    this.#handler.refuse(refusal, command);
    const { subscriptions } = this.session;
    if (subscriptions.size === 0) return;
    const presented = this.#handler.presented(command);
    const isWrong = presented.length > 0 && refusal.code === 'invalid_command';
    if (presented === 'unreadable' || isWrong) {
      this.session.close(CLOSE.policyViolation, `cursors that cannot be read: ${refusal.code}`);
      return;
    }
    const bound = presented.find((channel) => subscriptions.has(channel));
    if (bound === undefined) return;
    this.session.close(CLOSE.tryAgainLater, `no outcome for ${bound}: ${refusal.code}`);
  }

  #tellEnded(ended: readonly EndedChannel[], reason: EndReason): readonly string[] {
    for (const { channel, cursor } of ended) this.#handler.ended({ channel, cursor, reason });
    return ended.map(({ channel }) => channel);
  }

  #endLast(): void {
    this.#cancelLast?.();
    this.#cancelLast = undefined;
    this.#whenIdle = undefined;
  }

  #endHold(): void {
    this.#cancelHold?.();
    this.#cancelHold = undefined; // a timer that has run would be kept
  }
}

/** When a token ends, as clients are told it; undefined for a token that never expires. */
export function isoExpiry({ expiresAt }: Identity): string | undefined {
  return expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
}

function tooManyCommands(): ProtocolError {
  const problem = `more than ${MAX_WAITING} commands, or 256 KiB of them, wait to be carried out`;
  return new ProtocolError('rate_limited', problem);
}
