import {
  COMMANDS_PER_SECOND,
  CommandLimiter,
  CommandQueue,
  errorForClient,
  type Filter,
  type Frame,
  type Identity,
  type Session,
  tooManyCommands,
} from '@leque/core';
import {
  CLOSE,
  encodeReply,
  encodeTextFrame,
  FIREHOSE,
  type RequestId,
  requestIdOf,
} from '@leque/protocol';
import type { WsContext } from './context.ts';
import { carriesProjects, type Endpoint } from './endpoint.ts';
import { ProjectSwitch } from './project-switch.ts';
import type { WsConnection } from './ws-connection.ts';

/**
 * A client that comes back sends its cursors at once; until then, but at most this long, what is
 * new waits, because it has to come after what was missed (ORD).
 */
const HOLD_MS = 100;
/** The same for a client that announced its cursors with `?resume=1`. */
const ANNOUNCED_HOLD_MS = 5000;

export interface WsSessionInit {
  readonly connection: WsConnection;
  readonly identity: Identity;
  readonly endpoint: Endpoint;
  readonly resumes: boolean;
  /** Carries one command out; what it throws is told to the client. */
  readonly execute: (ws: WsSession, text: string) => void | Promise<void>;
}

/** The reading half of one raw WebSocket: commands in, answers out. */
export class WsSession {
  readonly session: Session;
  readonly endpoint: Endpoint;
  readonly context: WsContext;
  readonly projectSwitch = new ProjectSwitch();
  /** Milliseconds; any frame from the client, a pong included, proves life. */
  lastSeenAt: number;
  /** The client has chosen its projects; until then it gets all that it may see. */
  #selecting = false;
  #cancelHold = nothing;
  readonly #execute: WsSessionInit['execute'];
  readonly #limiter: CommandLimiter;
  readonly #commands: CommandQueue;

  constructor(init: WsSessionInit, context: WsContext) {
    this.context = context;
    this.endpoint = init.endpoint;
    this.#execute = init.execute;
    this.session = context.hub.open(init.connection, init.identity);
    this.lastSeenAt = context.clock.now();
    this.#limiter = new CommandLimiter(context.clock, COMMANDS_PER_SECOND);
    this.#commands = new CommandQueue(COMMANDS_PER_SECOND, (error) => this.#fail(error));
    this.#commands.push(() => this.#open(init.resumes ? ANNOUNCED_HOLD_MS : HOLD_MS));
  }

  /** Called with every text frame. */
  receive(text: string): void {
    const verdict = this.#limiter.take();
    if (verdict === 'close') {
      this.session.close(CLOSE.tooManyCommands, 'too many commands');
    } else if (verdict === 'refuse' || !this.#commands.push(() => this.#run(text))) {
      this.#refuse(tooManyCommands(), requestIdOf(text));
    }
  }

  /** Counts the command that runs for so many more. @throws ProtocolError for too many */
  charge(commands: number): void {
    if (this.#limiter.take(commands) !== 'ok') throw tooManyCommands();
  }

  answer(type: string, data: object, id?: RequestId): void {
    this.send(encodeTextFrame(encodeReply(type, data, id === undefined ? {} : { id })));
  }

  send(frame: Frame): void {
    this.session.send(frame, 1);
  }

  /** Called once, when the socket is gone. */
  end(): void {
    this.#cancelHold();
    this.context.hub.remove(this.session);
  }

  /** From its first selection on, a client gets only the projects that it selected. */
  select(channel: string): void {
    if (this.#selecting) return;
    this.#selecting = true;
    for (const other of this.endpoint.channels(this.session.identity)) {
      if (carriesProjects(other) && other !== channel) {
        this.context.hub.unsubscribe(this.session, other);
      }
    }
  }

  /** Subscribes to whatever the endpoint gives without asking and is not subscribed yet. */
  async subscribeToEndpoint(): Promise<void> {
    const { subscriptions, identity } = this.session;
    const given = this.endpoint.channels(identity);
    if (given.includes(FIREHOSE) && !this.#selecting) this.#leaveProjects();
    const wanted = given
      .filter((channel) => !subscriptions.has(channel))
      .filter((channel) => !this.#selecting || !carriesProjects(channel));
    await Promise.all(wanted.map((channel) => this.#subscribe(channel)));
  }

  /** The firehose brings them, too. */
  #leaveProjects(): void {
    for (const channel of [...this.session.subscriptions.keys()]) {
      if (channel !== FIREHOSE && carriesProjects(channel)) {
        this.context.hub.unsubscribe(this.session, channel);
      }
    }
  }

  async #subscribe(channel: string): Promise<void> {
    const accepts: Filter | undefined =
      channel === FIREHOSE ? (each) => this.projectSwitch.passes(each) : this.endpoint.accepts;
    await this.context.hub.subscribe(this.session, channel, accepts ? { accepts } : {});
  }

  async #open(holdMs: number): Promise<void> {
    const { clock, nodeId } = this.context;
    const { id, identity } = this.session;
    await this.subscribeToEndpoint();
    this.answer('connection', {
      status: 'connected',
      client_id: id,
      message: 'Connected to real-time events',
      node: nodeId,
      ...(identity.userId !== undefined && { user_id: identity.userId }),
    });
    this.#cancelHold = clock.after(holdMs, () => {
      this.#cancelHold = nothing; // a timer that has run would be kept
      this.#flow();
    });
  }

  async #run(text: string): Promise<void> {
    if (!this.session.open) return;
    // It may be the one with the cursors: nothing flows before it is through.
    this.#cancelHold();
    this.#cancelHold = nothing;
    try {
      await this.#execute(this, text);
    } catch (error) {
      this.#refuse(error, requestIdOf(text));
    }
    this.#flow();
  }

  /** Lets everything flow that was held back for the client's cursors. */
  #flow(): void {
    for (const subscription of this.session.subscriptions.values()) subscription.start();
  }

  #refuse(error: unknown, id: RequestId): void {
    const { telemetry } = this.context;
    const { code, message } = errorForClient(error, 'ws command', telemetry);
    telemetry.report({ type: 'command_refused', transport: 'ws', code });
    this.answer('error', { code, message }, id);
  }

  /** The session could not be opened: without its subscriptions it would be silently deaf. */
  #fail(error: unknown): void {
    errorForClient(error, 'ws open', this.context.telemetry);
    this.session.close(CLOSE.tryAgainLater, 'cannot receive publications now');
  }
}

function nothing(): void {}
