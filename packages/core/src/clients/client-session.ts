import { CLOSE, FIREHOSE, ProtocolError } from '@leque/protocol';
import type { Identity } from '../access/grants.ts';
import type { Session } from '../fan-out/session.ts';
import type { Cancel } from '../lib/clock.ts';
import { RateWindow } from '../lib/rate-window.ts';
import type { Connection } from '../ports/connection.ts';
import { type CommandOwner, CommandQueue } from './command-queue.ts';
import { errorForClient } from './refusals.ts';
import type { TransportContext } from './transport.ts';

/** Commands that one connection may give in a second. */
const COMMANDS_PER_SECOND = 50;

/** How a transport carries out commands of its wire, and answers them. */
export interface CommandHandler<C> {
  /** Carries out one command; an error that it throws goes to `refuse`. */
  execute(command: C): void | Promise<void>;
  /** Answers a command with an error. */
  refuse(error: ProtocolError, command: C): void;
  /** The channels for which the command presents cursors. */
  presented(command: C): Presented;
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
  #limiter: RateWindow | undefined;
  /** Undefined when nothing is held back until a time. */
  #cancelHold: Cancel | undefined;
  #running = false;

  constructor({ handler, connection, context }: ClientSessionDeps<C>, identity: Identity) {
    this.#handler = handler;
    this.context = context;
    this.session = context.hub.open(connection, identity);
  }

  /** Runs before all commands; when it fails, the client is closed, because it would miss events. */
  begin(open: () => void | Promise<void>): void {
    this.#push(open);
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

  /** Takes a command; commands run one after the other. */
  receive(command: C): void {
    const verdict = this.#take(1);
    if (verdict === 'close') {
      this.session.close(CLOSE.tooManyCommands, 'too many commands');
    } else if (verdict === 'refuse' || !this.#push(() => this.#run(command))) {
      this.#refuse(tooManyCommands(), command);
    }
  }

  /**
   * Counts the command that runs as this many more.
   * @throws ProtocolError `rate_limited`
   */
  charge(commands: number): void {
    if (this.#take(commands) !== 'ok') throw tooManyCommands();
  }

  /**
   * Holds publications back for the cursors of a client that comes back: they have to follow what
   * it missed (ORD). Ends with the first command, and after `ms` for the channels that this command
   * does not concern: a history that cannot be read delays no other channel.
   */
  hold(ms: number): void {
    this.#cancelHold = this.context.clock.after(ms, () => this.#release());
  }

  /** Starts all subscriptions. */
  flow(): void {
    this.#endHold();
    const { subscriptions } = this.session;
    const firehose = subscriptions.get(FIREHOSE);
    if (firehose !== undefined) firehose.accepts = undefined; // no cursor can come any more
    for (const subscription of subscriptions.values()) subscription.start();
  }

  /** Removes the session, whose connection is gone. May be called again. */
  end(): void {
    this.#endHold();
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
  }

  #push(task: () => void | Promise<void>): boolean {
    this.#commands ??= new CommandQueue(COMMANDS_PER_SECOND, this);
    return this.#commands.push(task);
  }

  async #run(command: C): Promise<void> {
    if (!this.session.open) return;
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
    if (!this.#running) {
      this.flow();
      return;
    }
    for (const subscription of this.session.subscriptions.values()) {
      if (!subscription.bound) subscription.start();
    }
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

  #take(commands: number): ReturnType<RateWindow['take']> {
    this.#limiter ??= new RateWindow(this.context.clock, COMMANDS_PER_SECOND);
    return this.#limiter.take(commands);
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
  const problem = `more than ${COMMANDS_PER_SECOND} commands in a second`;
  return new ProtocolError('rate_limited', problem);
}
