import { once } from 'node:events';
import { MemoryBroker, MemoryStore } from '@leque/broker-memory';
import { projectChannel, toCursor } from '@leque/protocol';
import {
  HEARING_PROJECTS,
  type HearingCommand,
  type HearingInit,
  type HearingSubject,
} from '@leque/testkit/contracts';
import { io, type Socket } from 'socket.io-client';
import { type GatewayUnderTest, memoryLimits, startGateway, tokenFor } from './gateway.ts';
import { type Message, RawClient } from './raw-client.ts';

const USER = 'alice';
const DEADLINE_MS = 5_000;

interface Answer {
  readonly ended?: readonly string[];
  readonly channels?: Readonly<Record<string, unknown>>;
  readonly code?: string;
}

/** A client of either protocol, and its node. */
abstract class HearingClient implements HearingSubject {
  isRefused = false;
  endedChannels: string[] = [];
  returnedChannels: string[] = [];
  readonly node: GatewayUnderTest;
  readonly #store: MemoryStore;

  constructor({ node, store }: HearingNode) {
    this.node = node;
    this.#store = store;
  }

  abstract heard(project: string): readonly number[];
  /** Gives the command, and resolves with its answer. */
  protected abstract ask(command: HearingCommand): Promise<Answer>;
  /** Resolves when everything that was sent before has arrived. */
  protected abstract ping(): Promise<unknown>;

  async take(command: HearingCommand): Promise<void> {
    this.endedChannels = [];
    this.returnedChannels = [];
    const answer = await this.ask(command);
    this.isRefused = answer.code !== undefined;
    this.endedChannels.push(...(answer.ended ?? []));
    const { step } = command;
    if (step.kind === 'unsubscribe') this.endedChannels.push(projectChannel(step.project));
    await this.ping();
  }

  async endGrant(): Promise<void> {
    throw new Error('no grant was given');
  }

  async publish(): Promise<void> {
    for (const project_id of HEARING_PROJECTS) {
      const n = this.top(project_id) + 1;
      await this.node.publish({ type: 'x', data: { n }, project_id });
    }
    await this.ping();
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
    const client = new RawHearingClient(node, new RawClient(node.node.url, path, token));
    await once(client.#client.socket, 'open', { signal: AbortSignal.timeout(DEADLINE_MS) });
    return client;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    this.#client[Symbol.dispose]();
    await super[Symbol.asyncDispose]();
  }

  constructor(node: HearingNode, client: RawClient) {
    super(node);
    this.#client = client;
  }

  heard(project: string): readonly number[] {
    const events = this.#client.of('x').filter(({ project_id }) => project_id === project);
    return events.map(({ data }) => Number(data['n']));
  }

  protected async ask({ step, cursors }: HearingCommand): Promise<Answer> {
    const start = this.#client.messages.length;
    const { data } = await this.#say(await this.#commandOf({ step, cursors }));
    for (const message of this.#client.messages.slice(start)) {
      if (message['id'] !== undefined) continue;
      if (message.type === 'unsubscribed') this.endedChannels.push(String(message.data['channel']));
      if (message.type === 'subscribed')
        this.returnedChannels.push(String(message.data['channel']));
    }
    return data;
  }

  protected async ping(): Promise<unknown> {
    return this.#say({ action: 'ping' });
  }

  async #commandOf({ step, cursors }: HearingCommand): Promise<object> {
    const byChannel = Object.fromEntries([...cursors].map(([id, at]) => [projectChannel(id), at]));
    if (step.kind === 'auth') {
      const token = await tokenFor(USER, { projects: [...step.projects] });
      return { action: 'auth', token, cursors: byChannel };
    }
    if (step.kind === 'resume') return { action: 'resume', cursors: byChannel };
    const since = cursors.get(step.project);
    return { action: step.kind, project_id: step.project, ...(since !== undefined && { since }) };
  }

  async #say(command: object): Promise<Message> {
    this.#asked += 1;
    const id = this.#asked;
    this.#client.say({ ...command, id });
    for (;;) {
      const answer = this.#client.messages.find((message) => message['id'] === id);
      if (answer !== undefined) return answer;
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
    const client = new SocketIoHearingClient(node, socket);
    await new Promise((resolve) => socket.once('connected', resolve));
    return client;
  }

  constructor(node: HearingNode, socket: Socket) {
    super(node);
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
    if (step.kind === 'auth') {
      const token = await tokenFor(USER, { projects: [...step.projects] });
      const byChannel = [...cursors].map(([id, at]) => [projectChannel(id), at]);
      return this.#say('auth', { token, cursors: Object.fromEntries(byChannel) });
    }
    const since = 'project' in step ? cursors.get(step.project) : undefined;
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
  readonly node: GatewayUnderTest;
  readonly store: MemoryStore;
}

async function startNode({ firehose }: HearingInit): Promise<HearingNode> {
  const store = new MemoryStore(memoryLimits());
  const env = { FIREHOSE: firehose ? 'on' : 'off' };
  return { node: await startGateway(env, { broker: new MemoryBroker(store) }), store };
}
