import {
  type Beating,
  COMMANDS_PER_SECOND,
  type CommandOwner,
  CommandQueue,
  type Connection,
  encodeTextFrame,
  errorForClient,
  type Frame,
  type Identity,
  RateWindow,
  type Session,
  type SubscribeOptions,
  type Subscription,
  tooManyCommands,
} from '@leque/core';
import {
  CLOSE,
  encodeReply,
  FIREHOSE,
  type RequestId,
  requestIdOf,
  type ServerMessage,
} from '@leque/protocol';
import type { WsContext } from './context.ts';
import { carriesProjects, type Endpoint } from './endpoint.ts';
import { ProjectSwitch, whatFollows } from './project-switch.ts';

/**
 * A client that comes back sends its cursors at once; until then, but at most this long, what is
 * new waits, because it has to come after what was missed (ORD).
 */
const HOLD_MS = 100;
/** The same for a client that announced its cursors with `?resume=1`. */
const ANNOUNCED_HOLD_MS = 5000;

export interface WsSessionInit {
  readonly connection: Connection;
  readonly identity: Identity;
  readonly endpoint: Endpoint;
  readonly resumes: boolean;
  /** Carries one command out; what it throws is told to the client. */
  readonly execute: (ws: WsSession, text: string) => void | Promise<void>;
}

/** The reading half of one raw WebSocket: commands in, answers out. */
export class WsSession implements Beating, CommandOwner {
  readonly session: Session;
  readonly endpoint: Endpoint;
  readonly context: WsContext;
  heardAt = 0;
  beatsAt = 0;
  /** The client has chosen its projects; until then it gets all that it may see. */
  #selecting = false;
  #cancelHold = nothing;
  readonly #execute: WsSessionInit['execute'];
  /** Made for the first command. */
  #limiter: RateWindow | undefined;
  readonly #commands: CommandQueue;

  constructor(init: WsSessionInit, context: WsContext) {
    this.context = context;
    this.endpoint = init.endpoint;
    this.#execute = init.execute;
    this.session = context.hub.open(init.connection, init.identity);
    this.#commands = new CommandQueue(COMMANDS_PER_SECOND, this);
    this.#commands.push(() => this.#open(init.resumes ? ANNOUNCED_HOLD_MS : HOLD_MS));
  }

  /** Called with every text frame. */
  receive(text: string): void {
    const verdict = this.#take();
    if (verdict === 'close') {
      this.session.close(CLOSE.tooManyCommands, 'too many commands');
    } else if (verdict === 'refuse' || !this.#commands.push(() => this.#run(text))) {
      this.#refuse(tooManyCommands(), requestIdOf(text));
    }
  }

  /** Counts the command that runs for so many more. @throws ProtocolError for too many */
  charge(commands: number): void {
    if (this.#take(commands) !== 'ok') throw tooManyCommands();
  }

  #take(commands?: number): ReturnType<RateWindow['take']> {
    this.#limiter ??= new RateWindow(this.context.clock, COMMANDS_PER_SECOND);
    return this.#limiter.take(commands);
  }

  answer(type: ServerMessage, data: object, id?: RequestId): void {
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

  /** Subscribes to a project that the client selects. */
  async subscribe(channel: string, options: SubscribeOptions): Promise<Subscription> {
    await this.turnTo([channel], options.since !== undefined);
    const subscription = await this.context.hub.subscribe(this.session, channel, options);
    this.select(channel);
    return subscription;
  }

  /**
   * Leaves the firehose for projects that are subscribed to next; unless what it would bring still
   * waits, and cursors lead to the same.
   */
  async turnTo(channels: readonly string[], withCursors: boolean): Promise<void> {
    const firehose = this.session.subscriptions.get(FIREHOSE);
    const [first] = channels;
    if (firehose === undefined || first === undefined) return;
    if (withCursors && firehose.holding) {
      // If it has to flow nevertheless (MEM), these channels bring the same, and more (DUP).
      firehose.accepts = ({ origin }) => !channels.includes(origin);
      return;
    }
    await this.#leaveFirehose(firehose, channels, () => this.select(first));
  }

  /**
   * Goes on with a fresh token.
   * @throws ProtocolError as `Hub.renew`
   */
  async renew(identity: Identity): Promise<void> {
    const renew = () => this.context.hub.renew(this.session, identity);
    const firehose = this.session.subscriptions.get(FIREHOSE);
    const given = this.endpoint.channels(identity);
    if (firehose === undefined || given.includes(FIREHOSE)) renew();
    else await this.#leaveFirehose(firehose, given.filter(carriesProjects), renew);
    await this.#subscribeToEndpoint();
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
  async #subscribeToEndpoint(): Promise<void> {
    const { subscriptions, identity } = this.session;
    const wanted = this.endpoint
      .channels(identity)
      .filter((channel) => !subscriptions.has(channel))
      .filter((channel) => !this.#selecting || !carriesProjects(channel));
    const { accepts } = this.endpoint;
    const { hub } = this.context;
    const options = accepts === undefined ? {} : { accepts };
    await Promise.all(wanted.map((channel) => hub.subscribe(this.session, channel, options)));
    if (wanted.includes(FIREHOSE)) await this.#leaveProjects();
  }

  /**
   * From the firehose to projects of their own. It is left by `leave`, once it has brought what was
   * published before their channels begin (GAP), and they go on where it ends (DUP).
   */
  async #leaveFirehose(
    firehose: Subscription,
    channels: readonly string[],
    leave: () => void,
  ): Promise<void> {
    const { hub } = this.context;
    using change = new ProjectSwitch(firehose);
    firehose.start();
    try {
      const subscribing = channels.map((channel) => hub.subscribe(this.session, channel));
      const projects = await Promise.all(subscribing);
      await hub.catchUp(FIREHOSE);
      for (const project of projects) change.finish(project);
      leave();
    } catch (error) {
      for (const channel of channels) hub.unsubscribe(this.session, channel);
      throw error;
    }
  }

  /**
   * From channels of projects to the firehose, which is held back still. They are left once they
   * have brought what was published before it begins (GAP), and it goes on where they end (DUP).
   */
  async #leaveProjects(): Promise<void> {
    const { hub } = this.context;
    const { subscriptions } = this.session;
    const firehose = subscriptions.get(FIREHOSE);
    const left = [...subscriptions.keys()].filter(
      (channel) => channel !== FIREHOSE && carriesProjects(channel),
    );
    if (firehose === undefined || left.length === 0) return;
    for (const channel of left) subscriptions.get(channel)?.start();
    try {
      await hub.catchUp(FIREHOSE);
    } catch (error) {
      hub.unsubscribe(this.session, FIREHOSE);
      throw error;
    }
    const ends = left.map((channel) => [channel, subscriptions.get(channel)?.position] as const);
    firehose.accepts = whatFollows(new Map(ends));
    for (const channel of left) hub.unsubscribe(this.session, channel);
    // Its copies of what they brought last may be still to come; until then its filter stays.
    await hub.catchUp(FIREHOSE);
    firehose.start();
    firehose.accepts = undefined;
  }

  async #open(holdMs: number): Promise<void> {
    const { clock, nodeId, firehose } = this.context;
    const { id, identity } = this.session;
    await this.#subscribeToEndpoint();
    this.answer('connection', {
      status: 'connected',
      client_id: id,
      message: 'Connected to real-time events',
      node: nodeId,
      ...(identity.userId !== undefined && { user_id: identity.userId }),
      ...(identity.grants.allProjects && !firehose && { firehose: 'off' }),
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
    const firehose = this.session.subscriptions.get(FIREHOSE);
    if (firehose !== undefined) firehose.accepts = undefined; // nothing is resumed any more
    for (const subscription of this.session.subscriptions.values()) subscription.start();
  }

  #refuse(error: unknown, id: RequestId): void {
    const { telemetry } = this.context;
    const { code, message } = errorForClient(error, 'ws command', telemetry);
    telemetry.report({ type: 'command_refused', transport: 'ws', code });
    this.answer('error', { code, message }, id);
  }

  /** The session could not be opened: without its subscriptions it would be silently deaf. */
  failed(error: unknown): void {
    errorForClient(error, 'ws open', this.context.telemetry);
    this.session.close(CLOSE.tryAgainLater, 'cannot receive publications now');
  }
}

function nothing(): void {}
