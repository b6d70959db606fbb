import { io, type Socket } from 'socket.io-client';
import type { AuditedClient } from './audited-client.ts';
import type { ChannelOutcome, ClientRecord } from './client-record.ts';
import type { ClientSpec } from './client-spec.ts';
import { describeConnectFailure } from './connect-failure.ts';

/** The code of an `error` that announces the end of the transport: the client comes back. */
const TRY_AGAIN_LATER = 1013;
const TIMEOUT_MS = 4000;
const MIN_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 2000;

interface Payload {
  readonly data?: unknown;
  readonly channel?: string;
  readonly cursor?: string;
  readonly incomplete_until?: string;
  readonly project_id?: string;
  readonly userId?: string;
  readonly channels?: Readonly<Record<string, ChannelOutcome>>;
}

export interface SocketIoAuditedClientDeps {
  readonly record: ClientRecord;
  /** URL of a gateway, a load balancer or a proxy. */
  readonly url: string;
  /** Called whenever a connection has failed or ended. */
  readonly lost: () => void;
}

/** The unmodified official Socket.IO client, which presents its cursors in `auth`. */
export class SocketIoAuditedClient implements AuditedClient {
  open = false;
  failure = '';
  readonly #spec: ClientSpec;
  readonly #record: ClientRecord;
  readonly #lost: () => void;
  readonly #socket: Socket;
  /** Channels whose answers are awaited since the last connect. */
  readonly #awaited = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  /** For how long it stays away; undefined unless it leaves. */
  #awayMs: number | undefined;
  /** Publications until its connection is cut. */
  #cutAfter = Number.POSITIVE_INFINITY;
  /** Whether this is the first connection. */
  #isNew = true;

  constructor(spec: ClientSpec, { record, url, lost }: SocketIoAuditedClientDeps) {
    this.#spec = spec;
    this.#record = record;
    this.#lost = lost;
    this.#socket = io(`${url}/events`, {
      transports: [spec.kind === 'polling' ? 'polling' : 'websocket'],
      forceNew: true,
      autoConnect: false,
      timeout: TIMEOUT_MS,
      reconnectionDelay: MIN_BACKOFF_MS,
      reconnectionDelayMax: MAX_BACKOFF_MS,
      auth: (give) =>
        give({ token: spec.token, ...(!this.#recoversItself && { cursors: record.cursors }) }),
    });
    this.#socket.onAny((name: string, payload: Payload) => this.#take(name, payload));
    this.#socket.on('disconnect', (reason, details) => {
      this.failure = details instanceof Error ? describeConnectFailure(details) : reason;
      this.#lose(reason === 'io server disconnect');
    });
    this.#socket.on('connect_error', (error) => {
      this.failure = describeConnectFailure(error);
      this.#lose(!this.#socket.active);
    });
  }

  start(): void {
    this.#socket.connect();
  }

  stall(on: boolean): void {
    const { engine } = this.#socket.io;
    const transport = engine.transport as unknown as { ws?: { pause(): void; resume(): void } };
    if (on) transport.ws?.pause();
    else transport.ws?.resume();
  }

  drop(): void {
    this.#socket.io.engine?.close();
  }

  leave(forMs: number, cutAfter: number): void {
    this.#awayMs = forMs;
    this.#cutAfter = cutAfter;
    this.#socket.io.reconnection(false);
    this.drop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#socket.disconnect();
  }

  #take(name: string, payload: Payload): void {
    const { channel = '', cursor } = payload;
    if (name === 'verify.event' || name === 'verify.live') {
      this.#publication(name, { channel, cursor, data: payload.data });
      this.#countDown();
    } else if (name === 'live.dropped') this.#record.liveDropped(channel, payload);
    else if (name === 'connected') this.#greet(payload);
    else if (name === 'resumed') this.#answered(payload.channels ?? {});
    else if (name === 'subscribed.project') {
      this.#answered({ [`project:${payload.project_id}`]: this.#anew(payload) });
    } else if (name === 'resync') this.#record.resync(channel, cursor, payload.incomplete_until);
    else if (name === 'error') {
      const { code } = payload as { readonly code?: unknown };
      if (code !== TRY_AGAIN_LATER && code !== 'unavailable') {
        this.#record.problem(`error: ${JSON.stringify(payload)}`);
      }
      this.drop();
    }
  }

  #publication(name: string, delivered: Parameters<ClientRecord['publication']>[0]): void {
    if (this.#awaited.has(delivered.channel)) {
      this.#record.problem(`${delivered.channel}: a new publication came before what was missed`);
      this.drop();
    } else if (name === 'verify.live') this.#record.live(delivered);
    else this.#record.publication(delivered);
  }

  get #recoversItself(): boolean {
    return this.#spec.kind === 'recovering';
  }

  #greet(payload: Payload): void {
    this.#awaited.clear();
    this.#isNew = this.#record.connects === 0;
    if (this.#recoversItself) this.#greetRecovered(payload);
    else this.#greetResumed(payload);
    this.#settle();
  }

  /** Connection state recovery restores all subscriptions or none. */
  #greetRecovered(payload: Payload): void {
    if (this.#socket.recovered && !this.#isNew) return;
    this.#record.outcome(`user:${payload.userId}`, this.#anew(payload));
    // Everybody's events begin anew without an answer of their own.
    if (!this.#isNew && this.#spec.channels.includes('all')) {
      this.#record.outcome('all', { recovered: false });
    }
    for (const project_id of this.#spec.projects) this.#subscribe(project_id);
  }

  /** Its user channel is subscribed already; projects without a cursor are subscribed now. */
  #greetResumed(payload: Payload): void {
    const { cursors } = this.#record;
    const own = `user:${payload.userId}`;
    for (const channel of Object.keys(cursors)) this.#awaited.add(channel);
    if (cursors[own] === undefined) this.#record.outcome(own, this.#anew(payload));
    for (const project_id of this.#spec.projects) {
      if (cursors[`project:${project_id}`] === undefined) this.#subscribe(project_id);
    }
  }

  #subscribe(project_id: string): void {
    this.#awaited.add(`project:${project_id}`);
    this.#socket.emit('subscribe.project', { project_id });
  }

  /** A new subscription after a reconnect has missed publications. */
  #anew({ cursor }: ChannelOutcome): ChannelOutcome {
    return { ...(cursor !== undefined && { cursor }), ...(!this.#isNew && { recovered: false }) };
  }

  #answered(outcomes: Readonly<Record<string, ChannelOutcome>>): void {
    const answers = Object.entries(outcomes);
    const refused = answers.find(([, { code }]) => code !== undefined);
    if (refused !== undefined) {
      this.#record.problem(`not resumed: ${JSON.stringify(refused)}`);
      this.drop();
      return;
    }
    for (const [channel, outcome] of answers) {
      this.#record.outcome(channel, outcome);
      this.#awaited.delete(channel);
    }
    this.#settle();
  }

  #settle(): void {
    if (this.open || this.#awaited.size > 0) return;
    this.open = true;
    this.#record.connected();
  }

  /** @param forGood whether the official client does not reconnect by itself */
  #lose(forGood: boolean): void {
    if (this.open) this.#record.disconnected();
    this.open = false;
    this.#lost();
    clearTimeout(this.#timer);
    const pauseMs = this.#awayMs ?? (forGood ? MAX_BACKOFF_MS : undefined);
    this.#awayMs = undefined;
    if (pauseMs !== undefined) this.#timer = setTimeout(() => this.#comeBack(), pauseMs);
  }

  #comeBack(): void {
    this.#socket.io.reconnection(true);
    this.start();
  }

  /** Its library keeps what it reads behind a close, and would emit it after its cursors are sent. */
  #countDown(): void {
    if (this.#awayMs === undefined) this.#cutAfter -= 1;
    if (this.#cutAfter !== 0) return;
    this.#cutAfter = Number.POSITIVE_INFINITY;
    setImmediate(() => this.drop());
  }
}
