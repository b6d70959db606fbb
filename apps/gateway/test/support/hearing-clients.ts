import { once } from 'node:events';
import { MemoryBroker, MemoryStore } from '@leque/broker-memory';
import { projectChannel, toCursor } from '@leque/protocol';
import {
  gapsIn,
  HEARING_PROJECTS,
  type HearingCommand,
  type HearingInit,
  type HearingSubject,
} from '@leque/testkit/contracts';
import { io, type Socket } from 'socket.io-client';
import {
  type GatewayUnderTest,
  grantFor,
  memoryLimits,
  startGateway,
  tokenFor,
} from './gateway.ts';
import { MovableClock } from './movable-clock.ts';
import { type Message, RawClient } from './raw-client.ts';

const USER = 'alice';
const DEADLINE_MS = 5_000;

interface Answer {
  readonly ended?: readonly string[];
  readonly channels?: Readonly<Record<string, object>>;
  readonly recovered?: boolean;
  readonly code?: string;
}

/** A client of either protocol, and its node. */
abstract class HearingClient implements HearingSubject {
  isRefused = false;
  endedChannels: string[] = [];
  returnedChannels: string[] = [];
  gaps: string[] = [];
  readonly node: GatewayUnderTest;
  /** The projects of the client's token. */
  protected token: readonly string[];
  /** Whether everything waits for the client's first command. */
  protected holds: boolean;
  readonly #store: MemoryStore;
  readonly #clock: MovableClock;
  readonly #grantEnds = new Map<string, number>();
  #grants = 0;

  constructor({ node, store, clock }: HearingNode, { token, holds }: HearingInit) {
    this.node = node;
    this.token = token;
    this.holds = holds;
    this.#store = store;
    this.#clock = clock;
  }

  abstract heard(project: string): readonly number[];
  /** Gives the command, and resolves with its answer. */
  protected abstract ask(command: HearingCommand): Promise<Answer>;
  /** Resolves when everything that was sent before has arrived. */
  protected abstract ping(): Promise<unknown>;

  async take(command: HearingCommand): Promise<void> {
    this.endedChannels = [];
    this.returnedChannels = [];
    this.holds = false;
    if (command.step.kind === 'auth') this.token = command.step.projects;
    const answer = await this.ask(command);
    this.isRefused = answer.code !== undefined;
    this.endedChannels.push(...(answer.ended ?? []));
    this.gaps = gapsIn({ '': { recovered: answer.recovered }, ...answer.channels });
    const { step } = command;
    if (step.kind === 'unsubscribe') this.endedChannels.push(projectChannel(step.project));
    await this.ping();
  }

  async endGrant(project: string): Promise<void> {
    this.endedChannels = [];
    this.#clock.moveTo(this.#grantEnds.get(project) ?? 0);
    await this.ping();
  }

  /** A grant that ends after all others that were given. */
  protected grantFor(project: string): Promise<string> {
    this.#grants += 1;
    const expiresAt = Math.floor(this.#clock.now() / 1000 + 2 * this.#grants) * 1000;
    this.#grantEnds.set(project, expiresAt);
    return grantFor(USER, project, expiresAt);
  }

  protected tokenOf(projects = this.token): Promise<string> {
    return tokenFor(USER, { projects: [...projects] });
  }

  async publish(): Promise<void> {
    for (const project_id of HEARING_PROJECTS) {
      const n = this.top(project_id) + 1;
      await this.node.publish({ type: 'x', data: { n }, project_id });
    }
    if (!this.holds) await this.ping(); // any command would end the hold
  }

  top(project: string): number {
    return this.#store.position(projectChannel(project))?.offset ?? 0;
  }

  cursor(project: string, offset: number): string {
    const position = this.#store.position(projectChannel(project));
    return position === undefined ? '' : toCursor({ ...position, offset });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.stop();
  }
}

export class RawHearingClient extends HearingClient {
  readonly #client: RawClient;
  #asked = 0;

  static async start(init: HearingInit): Promise<HearingSubject> {
    const node = await startNode(init);
    const token = await tokenFor(USER, { projects: [...init.token] });
    const path = init.begins === 'one project' ? `/ws/project/${init.own}` : '/ws/notifications';
    const raw = new RawClient(node.node.url, `${path}${init.holds ? '?resume=1' : ''}`, token);
    const client = new RawHearingClient(node, init, raw);
    await client.#first(({ type }) => type === 'connection');
    return client;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
    await super[Symbol.asyncDispose]();
  }

  constructor(node: HearingNode, init: HearingInit, client: RawClient) {
    super(node, init);
    this.#client = client;
    client.socket.on('message', (text) => this.#note(JSON.parse(String(text)) as Message));
  }

  heard(project: string): readonly number[] {
    const events = this.#client.of('x').filter(({ project_id }) => project_id === project);
    return events.map(({ data }) => Number(data['n']));
  }

  protected async ask(command: HearingCommand): Promise<Answer> {
    return (await this.#say(await this.#commandOf(command))).data;
  }

  protected async ping(): Promise<unknown> {
    return this.#say({ action: 'ping' });
  }

  async #commandOf({ step, cursors }: HearingCommand): Promise<object> {
    const byChannel = Object.fromEntries([...cursors].map(([id, at]) => [projectChannel(id), at]));
    if (step.kind === 'auth') {
      return { action: 'auth', token: await this.tokenOf(), cursors: byChannel };
    }
    if (step.kind === 'grant begins') {
      return { action: 'resume', cursors: {}, grants: [await this.grantFor(step.project)] };
    }
    if (step.kind === 'resume') return { action: 'resume', cursors: byChannel };
    const since = cursors.get(step.project);
    return { action: step.kind, project_id: step.project, ...(since !== undefined && { since }) };
  }

  /** Only what comes without being asked for names its channel. */
  #note({ type, data: { channel } }: Message): void {
    if (channel === undefined) return;
    if (type === 'unsubscribed') this.endedChannels.push(String(channel));
    if (type === 'subscribed') this.returnedChannels.push(String(channel));
  }

  async #say(command: object): Promise<Message> {
    this.#asked += 1;
    const id = this.#asked;
    this.#client.say({ ...command, id });
    return this.#first((message) => message['id'] === id);
  }

  async #first(isWanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.#client.messages.find(isWanted);
      if (found !== undefined) return found;
      await once(this.#client.socket, 'message', { signal: AbortSignal.timeout(DEADLINE_MS) });
    }
  }
}

export class SocketIoHearingClient extends HearingClient {
  readonly #socket: Socket;
  readonly #heard = new Map<string, number[]>();

  static async start(init: HearingInit): Promise<HearingSubject> {
    const node = await startNode(init);
    const token = await tokenFor(USER, { projects: [...init.token] });
    const auth = { token, projects: init.begins === 'takes all' };
    const socket = io(`${node.node.url}/events`, { auth, transports: ['websocket'] });
    const client = new SocketIoHearingClient(node, init, socket);
    await new Promise((resolve) => socket.once('connected', resolve));
    return client;
  }

  constructor(node: HearingNode, init: HearingInit, socket: Socket) {
    super(node, init);
    this.#socket = socket;
    socket.on('x', ({ project_id, data }) => {
      this.#heard.set(project_id, [...this.heard(project_id), data.n]);
    });
    socket.on('unsubscribed.project', ({ reason, channel }) => {
      if (reason !== undefined) this.endedChannels.push(channel);
    });
    socket.on('subscribed.project', ({ channel }) => {
      if (channel !== undefined) this.returnedChannels.push(channel);
    });
  }

  heard(project: string): readonly number[] {
    return this.#heard.get(project) ?? [];
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.disconnect();
    await super[Symbol.asyncDispose]();
  }

  protected async ask({ step, cursors }: HearingCommand): Promise<Answer> {
    if (step.kind === 'auth' || step.kind === 'grant begins') {
      const byChannel = [...cursors].map(([id, at]) => [projectChannel(id), at]);
      const grants = step.kind === 'auth' ? [] : [await this.grantFor(step.project)];
      const token = await this.tokenOf();
      return this.#say('auth', { token, grants, cursors: Object.fromEntries(byChannel) });
    }
    const since = cursors.get(step.project);
    const command = { project_id: step.project, ...(since !== undefined && { since }) };
    return this.#say(`${step.kind}.project`, command);
  }

  protected ping(): Promise<unknown> {
    return this.#say('ping', {});
  }

  #say(name: string, command: object): Promise<Answer> {
    return this.#socket.timeout(DEADLINE_MS).emitWithAck(name, command);
  }
}

interface HearingNode {
  readonly clock: MovableClock;
  readonly node: GatewayUnderTest;
  readonly store: MemoryStore;
}

async function startNode({ firehose }: HearingInit): Promise<HearingNode> {
  const store = new MemoryStore(memoryLimits());
  const env = { FIREHOSE: firehose ? 'on' : 'off' };
  const clock = new MovableClock();
  const node = await startGateway(env, { broker: new MemoryBroker(store), clock });
  return { node, store, clock };
}
