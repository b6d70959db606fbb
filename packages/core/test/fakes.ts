import type { Event, Position, Stats } from '@leque/protocol';
import { Grants, type Identity, type Scope } from '../src/access/grants.ts';
import type { Cancel, Clock } from '../src/lib/clock.ts';
import type { Broker, HistoryExtent, HistoryPage, Published } from '../src/ports/broker.ts';
import type { ClusterState, Totals } from '../src/ports/cluster-state.ts';
import type { Connection } from '../src/ports/connection.ts';
import type { Fact } from '../src/ports/telemetry.ts';
import { type Frame, type FrameFormat, Publication } from '../src/publication/publication.ts';

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #timers = new Map<object, { at: number; task: () => void }>();
  #deferred: (() => void)[] = [];

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, task: () => void): Cancel {
    const key = {};
    this.#timers.set(key, { at: this.#now + delayMs, task });
    return () => this.#timers.delete(key);
  }

  defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** Ends this turn of the event loop. */
  endTurn(): void {
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const task of deferred) task();
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= until);
      const [next] = due.sort(([, one], [, other]) => one.at - other.at);
      if (next === undefined) break;
      const [key, { at, task }] = next;
      this.#timers.delete(key);
      this.#now = at;
      task();
    }
    this.#now = until;
  }
}

/** A frame that a test can read. */
interface TextFrame extends Frame {
  readonly text: string;
}

/** Several of them in one. */
interface JoinedFrame extends Frame {
  readonly texts: readonly string[];
}

function textsOf(frame: Frame): readonly string[] {
  return 'texts' in frame ? (frame as JoinedFrame).texts : [(frame as TextFrame).text];
}

/** `OFFSET` for publications, `resync OFFSET` for gaps; ten bytes each. */
export class TextFormat implements FrameFormat {
  readonly transport = 'fake';
  encoded = 0;

  encodePublication({ position, type }: Publication): TextFrame {
    this.encoded += 1;
    return { byteLength: 10, text: position === undefined ? type : String(position.offset) };
  }

  join(frames: readonly Frame[], _room: Buffer): JoinedFrame {
    const texts = frames.flatMap(textsOf);
    return { byteLength: 10 * texts.length, texts };
  }

  encodeResync(_channel: string, position: Position | undefined): TextFrame {
    return { byteLength: 10, text: `resync ${position?.offset}` };
  }
}

export class FakeConnection implements Connection {
  readonly format: FrameFormat;
  readonly writes: string[][] = [];
  closed: { code: number; reason: string } | undefined;
  bufferedBytes = 0;
  stamp?(frame: Frame): Frame;
  readonly stampBytes?: number;
  /** False for a client that does not read: what is written stays in the buffer. */
  reads = true;

  constructor(format: FrameFormat = new TextFormat()) {
    this.format = format;
  }

  get sent(): string[] {
    return this.writes.flat();
  }

  write(frame: Frame): void {
    if (this.closed) throw new Error('written to after it was closed');
    this.writes.push([...textsOf(frame)]);
    if (!this.reads) this.bufferedBytes += frame.byteLength;
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }
}

/** A broker whose answers a test gives, when it wants to. */
export class FakeBroker implements Broker {
  readonly subscribed = new Set<string>();
  readonly unsubscribed: string[] = [];
  /** The histories that were read. */
  readonly asked: ({ channel: string } & HistoryExtent)[] = [];
  /** Where a channel stands when it is subscribed; the test may put a promise here. */
  position: Position | undefined | Promise<Position | undefined>;
  page: HistoryPage | Promise<HistoryPage> = {
    position: undefined,
    publications: [],
    complete: true,
  };

  async start(): Promise<void> {}

  async subscribe(channel: string): Promise<Position | undefined> {
    this.subscribed.add(channel);
    return this.position;
  }

  async unsubscribe(channel: string): Promise<void> {
    this.subscribed.delete(channel);
    this.unsubscribed.push(channel);
  }

  async publish(event: Event): Promise<Published> {
    return { messageId: event.messageId, position: undefined, duplicate: false };
  }

  async history(
    channel: string,
    _: Position | undefined,
    extent: HistoryExtent,
  ): Promise<HistoryPage> {
    this.asked.push({ channel, ...extent });
    return this.page;
  }

  async pageAfter(): Promise<HistoryPage> {
    return this.page;
  }

  health(): { ok: true } {
    return { ok: true };
  }

  async close(): Promise<void> {}
}

/** Remembers what a node has stated. */
export class FakeState implements ClusterState {
  connections = 0;
  readonly channels = new Map<string, number>();
  readonly users = new Map<string, number>();
  /** What was added to the totals, call by call. */
  readonly told: Partial<Totals>[] = [];

  async join(): Promise<void> {}

  setSubscribers(channel: string, sessions: number): void {
    this.channels.set(channel, sessions);
  }

  setConnections(connections: number): void {
    this.connections = connections;
  }

  setUserConnections(userId: string, connections: number): void {
    this.users.set(userId, connections);
  }

  addTotals(totals: Partial<Totals>): void {
    this.told.push(totals);
  }

  async subscribers(channels: readonly string[]): Promise<number[]> {
    return channels.map((channel) => this.channels.get(channel) ?? 0);
  }

  async userConnections(userIds: readonly string[]): Promise<number[]> {
    return userIds.map((userId) => this.users.get(userId) ?? 0);
  }

  async stats(): Promise<Stats> {
    throw new Error('not asked by the core');
  }

  async close(): Promise<void> {}
}

export class FakeTelemetry {
  readonly facts: Fact[] = [];

  report(fact: Fact): void {
    this.facts.push(fact);
  }
}

export function publication(channel: string, offset: number, epoch = 'e'): Publication {
  return new Publication({ channel, type: 'tick', position: { epoch, offset }, json: '{"n":1}' });
}

export function identity(
  userId: string | undefined,
  projects: readonly string[] = ['P'],
  { scopes = [], expiresAt }: { scopes?: readonly Scope[]; expiresAt?: number } = {},
): Identity {
  return { userId, grants: new Grants({ userId, projects, scopes }), expiresAt };
}
