import type { Random } from '@leque/testkit';
import { WebSocket } from 'ws';
import type { AuditedClient } from './audited-client.ts';
import type { ChannelOutcome, ClientRecord } from './client-record.ts';
import type { ClientSpec } from './client-spec.ts';
import { RoomGrants } from './room-grants.ts';

const HANDSHAKE_TIMEOUT_MS = 4000;
/** Deadline of the answer to its first command. */
const ANSWER_TIMEOUT_MS = 10_000;
/** A connection without any frame for this time is dead; heartbeats are more frequent. */
const SILENCE_MS = 12_000;
/** The close code of a connection that ended without a close frame. */
const ABNORMAL_CLOSURE = 1006;
const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 3000;
/** Codes of commands that may be repeated later; any other error is a violation. */
const PASSING = new Set<unknown>(['unavailable', 'rate_limited', 'overloaded', 'draining']);
/** The least time that a gateway holds publications back for a client with `?resume=1`. */
const HELD_MS = 4000;

interface Message {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly channel?: string;
  readonly cursor?: string;
  readonly incomplete_until?: string;
}

export interface RawAuditedClientDeps {
  readonly record: ClientRecord;
  /** The URL for the next connection. */
  readonly nextUrl: () => string;
  readonly random: Random;
}

/** A raw WebSocket client that follows the guide for clients. */
export class RawAuditedClient implements AuditedClient {
  open = false;
  failure = '';
  readonly #spec: ClientSpec;
  readonly #deps: RawAuditedClientDeps;
  /** Undefined for a client whose token names its projects. */
  readonly #grants: RoomGrants | undefined;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #attempts = 0;
  #startedAt = 0;
  #hintMs: number | undefined;
  /** The cursors that this connection has presented, until they are answered. */
  #presented: Readonly<Record<string, string>> = {};
  #stalled = false;
  /** For how long it stays away; undefined unless it leaves. */
  #awayMs: number | undefined;
  /** Publications until its connection is cut. */
  #cutAfter = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(spec: ClientSpec, deps: RawAuditedClientDeps) {
    this.#spec = spec;
    this.#deps = deps;
    const [project = ''] = spec.projects;
    this.#grants = spec.grants && new RoomGrants(spec.grants, project);
  }

  start(): void {
    this.#startedAt = performance.now();
    const socket = new WebSocket(this.#url(), {
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${this.#spec.token}` },
    });
    this.#socket = socket;
    this.#await(HANDSHAKE_TIMEOUT_MS + ANSWER_TIMEOUT_MS);
    socket.on('message', (text: Buffer) => {
      if (socket === this.#socket) this.#take(JSON.parse(text.toString()));
    });
    socket.on('error', ({ message }) => {
      this.failure = message; // `close` follows
    });
    socket.once('close', (code, reason) => {
      if (socket === this.#socket) this.#lose(code, String(reason));
    });
  }

  stall(on: boolean): void {
    this.#stalled = on;
    if (on) this.#socket?.pause();
    else this.#socket?.resume();
    this.#await(SILENCE_MS);
  }

  drop(): void {
    this.#socket?.terminate();
  }

  leave(forMs: number, cutAfter: number): void {
    this.#awayMs = forMs;
    this.#cutAfter = cutAfter;
    this.drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#grants?.stop();
    this.#socket?.terminate();
  }

  #url(): string {
    const base = this.#deps.nextUrl().replace(/^http/, 'ws');
    const [project = ''] = this.#spec.projects;
    const resumes = this.#resumes ? '?resume=1' : '';
    if (this.#spec.kind === 'project') return `${base}/ws/project/${project}${resumes}`;
    return `${base}/ws/notifications${resumes}`;
  }

  get #resumes(): boolean {
    return Object.keys(this.#deps.record.cursors).length > 0;
  }

  #take(message: Message): void {
    this.#await(SILENCE_MS);
    const { type } = message;
    if (type === 'verify.event' || type === 'verify.live') this.#publication(message);
    else if (type === 'live.dropped') {
      this.#deps.record.liveDropped(message.channel ?? '', message.data);
    } else if (type === 'connection') this.#greet(message.data);
    else if (type === 'subscribed') this.#subscribed(message.data);
    else if (type === 'unsubscribed') this.#ended(message.data);
    else if (type === 'resumed') this.#answered(message.data['channels'] as object);
    else if (type === 'resync') this.#resync(message);
    else if (type === 'error' && message.channel === undefined) this.#refused(message.data);
  }

  /** A channel whose cursor is not answered gets its outcome by the answer. */
  #resync({ channel = '', cursor, incomplete_until }: Message): void {
    if (channel in this.#presented) return;
    this.#deps.record.resync(channel, cursor, incomplete_until);
  }

  /** Comes back with the same cursors. */
  #refused(data: Message['data']): void {
    if (!PASSING.has(data['code']) && !this.#grants?.isTooLate(data['code'])) {
      this.#deps.record.problem(`error: ${JSON.stringify(data)}`);
    }
    this.#giveUp();
  }

  #publication(message: Message): void {
    this.#record(message);
    if (this.#awayMs === undefined) this.#cutAfter -= 1;
    if (this.#cutAfter !== 0) return;
    this.#cutAfter = Number.POSITIVE_INFINITY;
    this.drop();
  }

  #record({ type, channel = '', cursor, data }: Message): void {
    if (channel in this.#presented) this.#takeEarly(channel);
    else if (type === 'verify.live') this.#deps.record.live({ channel, cursor, data });
    else this.#deps.record.publication({ channel, cursor, data });
  }

  /**
   * Missed publications must come first. After a resume that took longer than the gateway holds new
   * publications back, they may come early; then the client comes back with the same cursors.
   */
  #takeEarly(channel: string): void {
    if (performance.now() - this.#startedAt < HELD_MS) {
      this.#deps.record.problem(`${channel}: a new publication came before what was missed`);
    }
    this.drop();
  }

  #greet({ cursors: first = {} }: Message['data']): void {
    const cursors = this.#deps.record.cursors;
    this.#presented = cursors;
    this.#begin(first as Readonly<Record<string, string>>);
    if (this.#grants !== undefined) void this.#join(this.#grants);
    else if (this.#spec.kind === 'project') {
      const [project_id] = this.#spec.projects;
      const since = cursors[this.#channel];
      this.#say({ action: 'subscribe', project_id, ...(since !== undefined && { since }) });
    } else if (Object.keys(cursors).length > 0) this.#say({ action: 'resume', cursors });
    else this.#established();
  }

  /** A channel that has brought nothing yet is resumed from its first cursor. */
  #begin(cursors: Readonly<Record<string, string>>): void {
    const { record } = this.#deps;
    for (const [channel, cursor] of Object.entries(cursors)) {
      if (!(channel in record.cursors)) record.outcome(channel, { cursor });
    }
  }

  async #join(grants: RoomGrants): Promise<void> {
    const grant = await grants.sign();
    const cursors = this.#presented;
    const isBack = Object.keys(cursors).length > 0;
    if (isBack) this.#say({ action: 'resume', cursors, grants: [grant] });
    if (!(this.#channel in cursors)) await this.#subscribeToRoom();
    grants.renewInTime(() => void this.#subscribeToRoom());
  }

  async #subscribeToRoom(since?: string): Promise<void> {
    const [project_id] = this.#spec.projects;
    const grant = await this.#grants?.sign();
    this.#say({ action: 'subscribe', project_id, grant, ...(since !== undefined && { since }) });
  }

  /** Drops the connection, and takes nothing that has arrived behind the refusal. */
  #giveUp(): void {
    this.#socket?.removeAllListeners('message');
    this.drop();
  }

  /** A grant has ended: the client goes on with a new one, after what it has seen. */
  #ended({ channel, reason }: Message['data']): void {
    const since = this.#deps.record.cursors[this.#channel];
    if (reason !== 'grant_expired' || channel !== this.#channel || since === undefined) return;
    this.#presented = { ...this.#presented, [this.#channel]: since };
    void this.#subscribeToRoom(since);
  }

  /** The answer to a renewal brings nothing. */
  #subscribed(data: Message['data']): void {
    const isKnown = this.#channel in this.#deps.record.cursors;
    const isRenewal = this.open && isKnown && !(this.#channel in this.#presented);
    if (!isRenewal) this.#answered({ [this.#channel]: data });
  }

  /** The channel of a client that subscribes to one project. */
  get #channel(): string {
    return `project:${this.#spec.projects[0]}`;
  }

  #answered(outcomes: object): void {
    const answers = Object.entries(outcomes) as [string, ChannelOutcome][];
    const refused = answers.find(([, { code }]) => code !== undefined);
    if (refused !== undefined) {
      if (!this.#grants?.isTooLate(refused[1].code)) {
        this.#deps.record.problem(`not resumed: ${JSON.stringify(refused)}`);
      }
      this.#giveUp();
      return;
    }
    this.#presented = {};
    for (const [channel, outcome] of answers) this.#deps.record.outcome(channel, outcome);
    this.#established();
  }

  #established(): void {
    if (this.open) return;
    this.open = true;
    this.#attempts = 0;
    this.#deps.record.connected();
  }

  #lose(code: number, reason: string): void {
    clearTimeout(this.#timer);
    this.#grants?.stop();
    this.#socket = undefined;
    if (code !== ABNORMAL_CLOSURE) this.failure = `closed with ${code} ${reason}`.trim();
    if (this.open) this.#deps.record.disconnected();
    this.open = false;
    this.#presented = {};
    if (this.#closed) return;
    const hintMs = code === 1001 || code === 1012 ? Number(reason) || undefined : undefined;
    this.#hintMs = this.#awayMs ?? hintMs;
    this.#awayMs = undefined;
    this.#timer = setTimeout(() => this.start(), this.#backoffMs());
  }

  /** The server's hint, or exponential back-off with full jitter. */
  #backoffMs(): number {
    if (this.#hintMs !== undefined) return this.#hintMs;
    const ceiling = Math.min(MIN_BACKOFF_MS * 2 ** this.#attempts, MAX_BACKOFF_MS);
    this.#attempts += 1;
    return this.#deps.random.between(0, ceiling);
  }

  #say(command: object): void {
    const { readyState, OPEN } = this.#socket ?? {};
    if (readyState === OPEN) this.#socket?.send(JSON.stringify(command));
  }

  /** Drops the connection when nothing arrives within this time. */
  #await(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#stalled) this.#timer = setTimeout(() => this.drop(), ms);
  }
}
