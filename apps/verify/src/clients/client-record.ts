import { type Cursor, type Position, tryParseCursor } from '@leque/protocol';
import { ChannelLog } from '../audit/channel-log.ts';
import type { ClientResult, ClientSpec } from './client-spec.ts';

const MAX_REPORTED = 5;

/** A server's answer to a subscription of a channel, with or without a cursor. */
export interface ChannelOutcome {
  readonly recovered?: boolean;
  readonly cursor?: Cursor;
  /** The error code of a channel that is refused, which no run expects. */
  readonly code?: string;
}

/** A publication as clients of either protocol receive it. */
export interface Delivered {
  readonly channel: string;
  readonly cursor: Cursor | undefined;
  readonly data: unknown;
}

/** Everything that one client has received over all its connections, and its cursors. */
export class ClientRecord {
  readonly #spec: ClientSpec;
  readonly #run: string;
  readonly #logs = new Map<string, ChannelLog>();
  readonly #cursors = new Map<string, Cursor>();
  readonly #strays = new Set<string>();
  readonly #problems: string[] = [];
  #timing = false;
  #lastAt = 0;
  #longestPauseMs = 0;
  #connects = 0;
  #connection = 0;
  #lostAt: number | undefined;
  #slowestReturnMs = 0;

  constructor(spec: ClientSpec, run: string) {
    this.#spec = spec;
    this.#run = run;
  }

  /** The cursor after the last publication of each channel. */
  get cursors(): Record<string, Cursor> {
    return Object.fromEntries(this.#cursors);
  }

  get connects(): number {
    return this.#connects;
  }

  /** Whether a channel has not yet received its required number. */
  isBehind(required: Readonly<Record<string, number>>): boolean {
    return this.#spec.channels.some(
      (channel) => (this.#logs.get(channel)?.lastNumber ?? 0) < (required[channel] ?? 0),
    );
  }

  /** Starts or stops the measurement of pauses. */
  time(on: boolean): void {
    if (this.#timing) this.#endPause();
    this.#timing = on;
    this.#lastAt = performance.now();
  }

  publication({ channel, cursor, data }: Delivered): void {
    const position = tryParseCursor(cursor ?? '');
    if (!this.#spec.channels.includes(channel)) this.#strays.add(channel);
    else if (position === undefined) this.problem(`${channel}: a publication without a cursor`);
    else this.#take(channel, position, this.#numberOf(data));
  }

  /** Records a live-only event, which has no cursor and leaves that of its channel alone. */
  live({ channel, cursor, data }: Delivered): void {
    if (cursor !== undefined) this.problem(`${channel}: a live-only event with a cursor`);
    const { run, after } = (data ?? {}) as { readonly run?: unknown; readonly after?: unknown };
    if (!this.#spec.channels.includes(channel)) this.#strays.add(channel);
    else if (run === this.#run && typeof after === 'number') {
      const log = this.#logOf(channel);
      log.lives.live({ after, seen: log.lastNumber, connection: this.#connection });
    }
  }

  /** Records that the server has left live-only events out. */
  liveDropped(channel: string, data: unknown): void {
    this.#logOf(channel).lives.dropped(Number((data as { readonly dropped?: unknown })?.dropped));
  }

  /** Records the answer to a subscription or a resume of a channel. */
  outcome(channel: string, { recovered, cursor }: ChannelOutcome): void {
    const position = cursor === undefined ? undefined : tryParseCursor(cursor);
    const at = position === undefined ? {} : { position };
    if (recovered === true) return;
    if (recovered === false) this.#note(channel, { kind: 'resync', ...at });
    else this.#note(channel, { kind: 'start', ...at });
    if (cursor !== undefined) this.#cursors.set(channel, cursor);
  }

  resync(channel: string, cursor: Cursor | undefined, until: Cursor | undefined): void {
    const position = tryParseCursor(cursor ?? '');
    const end = tryParseCursor(until ?? '');
    this.#note(channel, {
      kind: 'resync',
      ...(position !== undefined && { position }),
      ...(end !== undefined && { until: end }),
    });
    if (cursor !== undefined) this.#cursors.set(channel, cursor);
    else this.#cursors.delete(channel);
  }

  /** Records that all subscriptions are established. */
  connected(): void {
    this.#connects += 1;
    if (this.#lostAt === undefined) return;
    this.#slowestReturnMs = Math.max(this.#slowestReturnMs, performance.now() - this.#lostAt);
    this.#lostAt = undefined;
  }

  /** The client leaves by its own will; its pause is not measured. */
  away(): void {
    this.#lastAt = Number.POSITIVE_INFINITY;
  }

  disconnected(): void {
    this.#connection += 1;
    this.#lostAt ??= performance.now();
  }

  problem(text: string): void {
    if (this.#problems.length < MAX_REPORTED) this.#problems.push(text);
  }

  result(): ClientResult {
    const logs = [...this.#logs].map(([channel, { entries }]) => [channel, entries]);
    const lives = [...this.#logs].map(([channel, log]) => [channel, log.lives.read()]);
    return {
      id: this.#spec.id,
      kind: this.#spec.kind,
      logs: Object.fromEntries(logs),
      lives: Object.fromEntries(lives),
      strays: [...this.#strays],
      problems: this.#problems,
      longestPauseMs: this.#longestPauseMs,
      connects: this.#connects,
      slowestReturnMs: this.#slowestReturnMs,
    };
  }

  #take(channel: string, position: Position, number: number): void {
    if (!this.#logs.has(channel)) this.#note(channel, { kind: 'start' });
    this.#logOf(channel).publication(position, number);
    this.#cursors.set(channel, `${position.epoch}.${position.offset}`);
    this.#endPause();
  }

  /** The number of an event; 0 for events of other runs. */
  #numberOf(data: unknown): number {
    const { run, n } = (data ?? {}) as { readonly run?: unknown; readonly n?: unknown };
    return run === this.#run && typeof n === 'number' ? n : 0;
  }

  #note(channel: string, entry: Parameters<ChannelLog['note']>[0]): void {
    if (this.#spec.channels.includes(channel)) this.#logOf(channel).note(entry);
    else this.#strays.add(channel);
  }

  #logOf(channel: string): ChannelLog {
    const known = this.#logs.get(channel);
    if (known !== undefined) return known;
    const log = new ChannelLog();
    this.#logs.set(channel, log);
    return log;
  }

  #endPause(): void {
    const now = performance.now();
    if (this.#timing) this.#longestPauseMs = Math.max(this.#longestPauseMs, now - this.#lastAt);
    this.#lastAt = now;
  }
}
