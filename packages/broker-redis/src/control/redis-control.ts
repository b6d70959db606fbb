import { randomUUID } from 'node:crypto';
import {
  type Cancel,
  type Clock,
  CONTROL_DEADLINE_MS,
  type Control,
  type ControlAnswer,
  type ControlAnswers,
  type ControlHandler,
  ControlHandlers,
  type ControlKind,
  type Telemetry,
  wellFormedAnswers,
  withDeadline,
} from '@leque/core';
import type { Cluster, Redis } from 'ioredis';
import { unavailable } from '../connection/redis-errors.ts';
import type { RedisLink } from '../link/redis-link.ts';
import { Signature } from './signature.ts';

export interface RedisControlDeps {
  readonly link: RedisLink;
  /** Opens a connection to subscribe with; in a Redis Cluster it receives messages of all servers. */
  readonly open: () => Redis | Cluster;
  readonly prefix: string;
  readonly nodeId: string;
  /** Signs and checks requests and answers; without it they are neither. */
  readonly secret: string | undefined;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** A request of this process that waits for answers. */
interface PendingRequest {
  readonly answers: ControlAnswer<unknown>[];
  /** Processes that received the request; undefined where no server knows all of them. */
  expected: number | undefined;
  /** Processes that have answered. */
  answered: number;
  readonly done: () => void;
}

/**
 * Requests are published to `leque:control`. Each process answers, with an empty list where it has
 * nothing, to the channel that the request names: `leque:control:ID`, which only the requesting
 * process has subscribed. Messages that no process of the cluster has signed are ignored. Connects with the first handler or request.
 */
export class RedisControl implements Control {
  readonly #deps: RedisControlDeps;
  readonly #handlers = new ControlHandlers();
  readonly #pending = new Map<string, PendingRequest>();
  readonly #channel: string;
  readonly #answerChannel: string;
  readonly #signature: Signature;

  #connection: Redis | Cluster | undefined;
  #subscribed: Promise<unknown> = Promise.resolve();

  constructor(deps: RedisControlDeps) {
    this.#deps = deps;
    this.#signature = new Signature(deps.secret, deps.clock);
    this.#channel = `${deps.prefix}control`;
    this.#answerChannel = `${this.#channel}:${randomUUID()}`;
  }

  handle<Q, A>(kind: ControlKind<Q, A>, handler: ControlHandler<Q, A>): void {
    this.#handlers.add(kind, handler);
    this.#connect();
  }

  async request<Q, A>(kind: ControlKind<Q, A>, body: Q): Promise<ControlAnswers<A>> {
    const id = randomUUID();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const pending: PendingRequest = {
      answers: [],
      expected: undefined,
      answered: 0,
      done: resolve,
    };
    this.#pending.set(id, pending);
    const cancel: Cancel = this.#deps.clock.after(CONTROL_DEADLINE_MS, resolve);
    const connection = this.#connect();
    try {
      await withDeadline(this.#subscribed, CONTROL_DEADLINE_MS, 'subscribing');
      const receivers = await this.#publish(this.#channel, {
        id,
        kind: kind.name,
        body,
        answer_to: this.#answerChannel,
      });
      // A server of a Cluster counts its own clients only.
      if (!('nodes' in connection)) pending.expected = receivers;
      if (pending.answered === pending.expected) resolve();
      await done;
    } catch (error) {
      throw unavailable(error);
    } finally {
      cancel();
      this.#pending.delete(id);
    }
    const { answers, expected, answered } = pending;
    const wellFormed = wellFormedAnswers(kind, answers);
    const malformed = answers.length - wellFormed.length;
    const silent = expected === undefined ? undefined : expected - answered + malformed;
    return { answers: wellFormed, silent };
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.disconnect();
    for (const { done } of this.#pending.values()) done();
  }

  #connect(): Redis | Cluster {
    if (this.#connection !== undefined) return this.#connection;
    const connection = this.#deps.open();
    this.#connection = connection;
    connection.on('message', (channel, text) => this.#receive(channel, tryParseMessage(text)));
    this.#subscribed = connection.subscribe(this.#channel, this.#answerChannel);
    this.#subscribed.catch((error: unknown) => {
      if (this.#connection === undefined) return; // closed in the meantime
      this.#deps.telemetry.report({ type: 'failure', where: 'subscribe control', error });
    });
    return connection;
  }

  #receive(channel: string, message: Message | undefined): void {
    if (message === undefined || !this.#signature.isAuthentic(channel, message)) return;
    if (channel === this.#answerChannel) this.#collect(message);
    else this.#reply(message);
  }

  #collect({ id, node, bodies }: Message): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || node === undefined || !Array.isArray(bodies)) return;
    pending.answers.push(...bodies.map((body) => ({ node, body })));
    pending.answered += 1;
    if (pending.answered === pending.expected) pending.done();
  }

  #reply({ id, kind, body = null, answer_to: to }: Message): void {
    if (kind === undefined || to?.startsWith(`${this.#channel}:`) !== true) return;
    const { nodeId: node } = this.#deps;
    const bodies = this.#answersTo(kind, body);
    this.#publish(to, { id, node, bodies }).catch(() => {}); // the other side stops waiting
  }

  /** A handler that fails must not end the process, because any Redis client may send a request. */
  #answersTo(kind: string, body: unknown): unknown[] {
    try {
      return this.#handlers.answersTo(kind, body);
    } catch (error) {
      this.#deps.telemetry.report({ type: 'failure', where: `control ${kind}`, error });
      return [];
    }
  }

  #publish(channel: string, message: Message): Promise<number> {
    const text = this.#signature.sign(channel, message);
    return this.#deps.link.run(channel, (redis) => redis.publish(channel, text));
  }
}

/** A request, or an answer to one. */
interface Message {
  readonly id: string;
  readonly kind?: string;
  readonly body?: unknown;
  readonly answer_to?: string;
  readonly node?: string;
  readonly bodies?: unknown[];
}

/** Undefined for a malformed message, which any Redis client may publish. */
function tryParseMessage(text: string): Message | undefined {
  try {
    const message = JSON.parse(text) as Partial<Message> | null;
    return typeof message?.id === 'string' ? (message as Message) : undefined;
  } catch {
    return undefined;
  }
}
