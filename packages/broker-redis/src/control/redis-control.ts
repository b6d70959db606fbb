import { randomUUID } from 'node:crypto';
import {
  type Answerer,
  Answerers,
  type Cancel,
  type Clock,
  CONTROL_DEADLINE_MS,
  type Control,
  type ControlAnswer,
  type ControlAnswers,
  type Json,
  type Telemetry,
} from '@leque/core';
import type { Cluster, Redis } from 'ioredis';
import { unavailable } from '../connection/redis-errors.ts';
import { withDeadline } from '../lib/deadline.ts';
import type { RedisLink } from '../link/redis-link.ts';

export interface RedisControlParts {
  readonly link: RedisLink;
  /** One to subscribe with; in a Cluster it hears what is published on any server. */
  readonly open: () => Redis | Cluster;
  readonly prefix: string;
  readonly nodeId: string;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** One round of answers. */
interface Asking {
  readonly answers: ControlAnswer[];
  /** Processes that heard the question; undefined where one server does not know of all. */
  expected: number | undefined;
  heard: number;
  readonly done: () => void;
}

/**
 * Questions are published to `leque:control`; each process answers, if only with nothing, to the
 * channel that the question names: `leque:control:ID`, which only the one who asks has subscribed.
 * Connects with the first answerer or question.
 */
export class RedisControl implements Control {
  readonly #parts: RedisControlParts;
  readonly #answerers = new Answerers();
  readonly #askings = new Map<string, Asking>();
  readonly #channel: string;
  readonly #answerChannel: string;

  #connection: Redis | Cluster | undefined;
  #subscribed: Promise<unknown> = Promise.resolve();

  constructor(parts: RedisControlParts) {
    this.#parts = parts;
    this.#channel = `${parts.prefix}control`;
    this.#answerChannel = `${this.#channel}:${randomUUID()}`;
  }

  answer(kind: string, answerer: Answerer): void {
    this.#answerers.add(kind, answerer);
    this.#connect();
  }

  async ask(kind: string, body: Json): Promise<ControlAnswers> {
    const id = randomUUID();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const asking: Asking = { answers: [], expected: undefined, heard: 0, done: resolve };
    this.#askings.set(id, asking);
    const cancel: Cancel = this.#parts.clock.after(CONTROL_DEADLINE_MS, resolve);
    const connection = this.#connect();
    try {
      await withDeadline(this.#subscribed, CONTROL_DEADLINE_MS, 'subscribing');
      const receivers = await this.#publish(this.#channel, {
        id,
        kind,
        body,
        answer_to: this.#answerChannel,
      });
      // A server of a Cluster counts its own clients only.
      if (!('nodes' in connection)) asking.expected = receivers;
      if (asking.heard === asking.expected) resolve();
      await done;
    } catch (error) {
      throw unavailable(error);
    } finally {
      cancel();
      this.#askings.delete(id);
    }
    const { answers, expected, heard } = asking;
    return { answers, silent: expected === undefined ? undefined : expected - heard };
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.disconnect();
    for (const { done } of this.#askings.values()) done();
  }

  #connect(): Redis | Cluster {
    if (this.#connection !== undefined) return this.#connection;
    const connection = this.#parts.open();
    this.#connection = connection;
    connection.on('message', (channel, text) => this.#hear(channel, parse(text)));
    this.#subscribed = connection.subscribe(this.#channel, this.#answerChannel);
    this.#subscribed.catch((error: unknown) => {
      if (this.#connection === undefined) return; // closed before it came to that
      this.#parts.telemetry.report({ type: 'failure', where: 'subscribe control', error });
    });
    return connection;
  }

  #hear(channel: string, message: Message | undefined): void {
    if (message === undefined) return;
    if (channel === this.#answerChannel) this.#collect(message);
    else this.#reply(message);
  }

  #collect({ id, node, bodies }: Message): void {
    const asking = this.#askings.get(id);
    if (asking === undefined || node === undefined || !Array.isArray(bodies)) return;
    asking.answers.push(...bodies.map((body: Json) => ({ node, body })));
    asking.heard += 1;
    if (asking.heard === asking.expected) asking.done();
  }

  #reply({ id, kind, body = null, answer_to: to }: Message): void {
    if (kind === undefined || to?.startsWith(`${this.#channel}:`) !== true) return;
    const { nodeId: node } = this.#parts;
    const bodies = this.#answersTo(kind, body);
    this.#publish(to, { id, node, bodies }).catch(() => {}); // it does not wait
  }

  /** Whoever may publish in Redis may ask anything: it must not end the process. */
  #answersTo(kind: string, body: Json): Json[] {
    try {
      return this.#answerers.answersTo(kind, body);
    } catch (error) {
      this.#parts.telemetry.report({ type: 'failure', where: `control ${kind}`, error });
      return [];
    }
  }

  #publish(channel: string, message: Message): Promise<number> {
    const text = JSON.stringify(message);
    return this.#parts.link.run(channel, (redis) => redis.publish(channel, text));
  }
}

/** A question, or an answer to one. */
interface Message {
  readonly id: string;
  readonly kind?: string;
  readonly body?: Json;
  readonly answer_to?: string;
  readonly node?: string;
  readonly bodies?: Json[];
}

/** Undefined for what somebody else may have published there. */
function parse(text: string): Message | undefined {
  try {
    const message = JSON.parse(text) as Partial<Message> | null;
    return typeof message?.id === 'string' ? (message as Message) : undefined;
  } catch {
    return undefined;
  }
}
