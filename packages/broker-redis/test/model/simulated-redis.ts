import { type Position, tryParseChannel } from '@leque/protocol';
import type { Random } from '@leque/testkit';
import { BlankNames, type BlankQuery, firstEpochOf, positionOf } from './blank-names.ts';
import type { Ledger } from './ledger.ts';
import type { Lane, Scheduler } from './scheduler.ts';
import { type Blank, copy, type Entry, emptyData, type Log } from './simulated-data.ts';

export const PREFIX = 'leque:';

/** The end of a connection at the server. */
export interface ServerSocket {
  readonly up: Lane;
  readonly down: Lane;
  readonly subscriptions: Set<string>;
  /** Called with what is published in one of the subscribed channels. */
  readonly receive: (redisChannel: string, payload: Buffer) => void;
}

type Reply = readonly unknown[];

export interface RedisLimits {
  /** Publications that the history of a channel keeps. */
  readonly history: number;
  /** Publications of one page; the real Redis limits pages by their bytes. */
  readonly page: number;
  /** Whether Redis evicts keys when its memory is full. */
  readonly evicts: boolean;
}

/**
 * Redis as far as the model needs it: a log for each channel, with the functions that read and append,
 * and Pub/Sub. It can restart, and lose data.
 */
export class SimulatedRedis {
  readonly ledger: Ledger;
  readonly sockets = new Set<ServerSocket>();
  readonly #scheduler: Scheduler;
  readonly #limits: RedisLimits;
  #data = emptyData();
  #saved = emptyData();
  readonly #blanks: BlankNames;
  #code: string | undefined;
  #boot = 1;
  #epochs = 0;
  #refusedReads = 0;
  #onlyResumes = false;

  constructor(scheduler: Scheduler, ledger: Ledger, limits: RedisLimits) {
    this.#scheduler = scheduler;
    this.ledger = ledger;
    this.#blanks = new BlankNames(ledger, limits.evicts);
    this.#limits = limits;
  }

  /** Stores and sends an event as `leque_append` does. @returns its number */
  publish(channel: string): number {
    const { ledger } = this;
    const number = ledger.takeNumber();
    const log = keepsLog(channel) ? this.#logOf(channel) : undefined;
    const previous = log === undefined ? 0 : (ledger.at(log) ?? 0);
    ledger.publish(number, { channel, previous, step: this.#scheduler.steps });
    if (log !== undefined) {
      log.offset += 1;
      log.entries = [...log.entries, { offset: log.offset, number }].slice(-this.#limits.history);
      ledger.place(log, number);
    }
    this.#send(channel, log, { offset: log?.offset ?? 0, number });
    return number;
  }

  /**
   * Publishes an event without storing it.
   * @param isPlaced whether the functions send it, and not a service by PUBLISH
   * @returns its number
   */
  sendLive(channel: string, isPlaced: boolean): number {
    const number = this.ledger.takeNumber();
    const previous = keepsLog(channel) ? undefined : 0;
    const log = this.#data.logs.get(channel);
    const at = { channel, previous, step: this.#scheduler.steps };
    this.ledger.publish(number, { ...at, placedIn: isPlaced ? log?.epoch : undefined });
    const place = log === undefined ? '' : ` ${log.epoch}.${log.offset}`;
    const header = isPlaced ? `1 - 0 tick ${channel}${place}\n` : '';
    this.send(`${PREFIX}{${channel}}`, Buffer.from(`${header}${jsonOf(number)}`));
    return number;
  }

  /** Sends a stored publication once more. */
  sendAgain(channel: string, random: Random): void {
    const log = this.#data.logs.get(channel);
    if (log === undefined || log.entries.length === 0) return;
    this.#send(channel, log, random.pick(log.entries));
  }

  /** Executes PUBLISH. */
  send(redisChannel: string, payload: Buffer): void {
    for (const { subscriptions, receive } of this.sockets) {
      if (subscriptions.has(redisChannel)) receive(redisChannel, payload);
    }
  }

  /** Ledger number of the channel's last event, or of its beginning when it has none. */
  topOf(channel: string): number | undefined {
    if (!keepsLog(channel)) return undefined;
    const log = this.#data.logs.get(channel);
    return this.ledger.at(log ?? this.#blanks.position(this.#data, channel));
  }

  /** Executes FUNCTION LIST. */
  library(): Reply {
    return this.#code === undefined ? [] : [['library_code', this.#code]];
  }

  /** Executes FUNCTION LOAD. */
  load(code: string): string {
    this.#code = code;
    return 'leque';
  }

  /** Executes FCALL. */
  call(name: string, key: string, args: readonly (string | number)[]): Reply | Error {
    if (this.#code === undefined) return new ReplyError('ERR Function not found');
    if (name === 'leque_lease') return [];
    if (name === 'leque_probe') {
      this.send(key, Buffer.from(String(args[0])));
      return [];
    }
    const channel = key.slice(PREFIX.length + 1, -1);
    if (name === 'leque_history' && this.#refuses(args[0] !== 'rest')) {
      this.#refusedReads -= 1;
      return new ReplyError("OOM command not allowed when used memory > 'maxmemory'");
    }
    if (name === 'leque_position') return this.#position(channel);
    return this.#history(channel, args);
  }

  /** Refuses the next reads of histories. */
  refuseReads(count: number): void {
    this.#refusedReads = count;
  }

  /** Lets nodes read what they have missed; the reads of clients that come back still fail. */
  refuseOnlyResumes(): void {
    this.#onlyResumes = true;
  }

  #refuses(isResume: boolean): boolean {
    return this.#refusedReads > 0 && (isResume || !this.#onlyResumes);
  }

  /** Saves the data that a restart with a loss brings back. */
  save(): void {
    this.#saved = copy(this.#data);
  }

  /** Restarts, or lets a replica take over; the caller has to cut the connections. */
  restart(lost: 'nothing' | 'the newest' | 'everything'): void {
    this.#boot += 1;
    this.#blanks.restarted(lost !== 'everything');
    if (lost === 'the newest') this.#data = copy(this.#saved);
    if (lost === 'everything') {
      this.#data = emptyData();
      this.#code = undefined;
    }
    this.save();
  }

  /** Executes FLUSHALL. */
  flush(): void {
    for (const channel of this.#data.logs.keys()) this.#blanks.lost(channel);
    this.#data = emptyData();
    this.#blanks.removed();
  }

  /** Evicts a key, or both of a history, if Redis evicts. */
  evict(channel: string, key: 'meta' | 'log' | 'history' | 'data set'): void {
    if (!this.#limits.evicts) return;
    const log = this.#data.logs.get(channel);
    this.#blanks.evicted();
    if (key === 'data set') this.#data.ids = undefined;
    else if (key === 'log' && log !== undefined) log.entries = [];
    else if (log !== undefined) {
      this.#blanks.lost(channel);
      this.#data.logs.delete(channel);
      if (key === 'meta' && log.entries.length > 0) this.#data.leftovers.add(channel);
    }
  }

  /** Drops the oldest publications, as `MAXLEN` or the time to live do. */
  forgetOldest(channel: string, count: number): void {
    const log = this.#data.logs.get(channel);
    if (log !== undefined) log.entries = log.entries.slice(count);
  }

  #send(channel: string, log: Log | undefined, { offset, number }: Entry): void {
    const header = `1 ${log?.epoch ?? '-'} ${offset} tick ${channel}`;
    this.send(`${PREFIX}{${channel}}`, Buffer.from(`${header}\n${jsonOf(number)}`));
  }

  #position(channel: string): Reply {
    if (!keepsLog(channel)) return [];
    const { epoch, offset } = this.#topOf(channel);
    return [epoch, offset];
  }

  #history(channel: string, args: readonly (string | number)[]): Reply {
    const [mode, epoch, offset] = args;
    if (!keepsLog(channel)) return ['', 0, mode === 'newest' ? 1 : 0, []];
    const query = { channel, after: { epoch: String(epoch), offset: Number(offset) }, mode };
    const log = this.#logInEpoch(channel);
    if (log !== undefined) return this.#entriesOf(log, query, Number(args[3]));
    const isKnown = mode === 'newest' || this.#blanks.knows(this.#data, query);
    return [this.#topOf(channel).epoch, 0, isKnown ? 1 : 0, []];
  }

  #entriesOf(log: Log, query: BlankQuery, limit: number): Reply {
    const { after, mode } = query;
    const missed = log.offset - after.offset;
    const nothing = [log.epoch, log.offset, 0, []];
    const isKnown = isOf(log, after) || this.#blanks.precedes(this.#data, log, query);
    if (missed < 0 || !isKnown) return nothing;
    const missing = log.entries.filter((entry) => entry.offset > after.offset);
    const most =
      mode === 'page' || mode === 'rest'
        ? Math.min(Number(limit), this.#limits.page)
        : Number(limit);
    if (missing.length < missed) return nothing;
    if (mode === 'all' && missed > most) return [log.epoch, log.offset, -1, []];
    // Numbers are given in the order of publishing, so they are times as well.
    const entries = missing.slice(0, most).map(({ offset: at, number }) => {
      return [`${at}-0`, ['tick', jsonOf(number), 'at', String(number)]];
    });
    return [log.epoch, log.offset, 1, entries];
  }

  #logOf(channel: string): Log {
    const existing = this.#logInEpoch(channel);
    if (existing !== undefined) return existing;
    const isFirst = !this.#data.leftovers.delete(channel);
    const first = isFirst ? this.#blanks.current(this.#data, channel) : undefined;
    const epoch =
      first === undefined ? this.#newEpoch(undefined) : this.#firstEpoch(channel, first);
    if (isFirst) this.#blanks.name(this.#data);
    const log: Log = { epoch, first, offset: 0, boot: this.#boot, former: [], entries: [] };
    this.#data.logs.set(channel, log);
    return log;
  }

  #firstEpoch(channel: string, blank: Blank): string {
    this.#epochs += 1;
    const epoch = firstEpochOf(blank, this.#epochs);
    this.ledger.beginEpoch(
      epoch,
      this.#blanks.isStale(channel, blank) ? undefined : positionOf(blank),
    );
    return epoch;
  }

  #topOf(channel: string): Position {
    return this.#logInEpoch(channel) ?? this.#blanks.position(this.#data, channel);
  }

  /** Begins a new epoch when the server has restarted, see functions/library.lua. */
  #logInEpoch(channel: string): Log | undefined {
    const log = this.#data.logs.get(channel);
    if (log === undefined || log.boot === this.#boot) return log;
    const { epoch, offset } = log;
    log.former = [{ epoch, offset }, ...log.former].slice(0, 8);
    log.epoch = this.#newEpoch({ epoch, offset });
    log.boot = this.#boot;
    return log;
  }

  #newEpoch(former: Position | undefined): string {
    this.#epochs += 1;
    const epoch = `e${this.#epochs}`;
    this.ledger.beginEpoch(epoch, former);
    return epoch;
  }
}

class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

function keepsLog(channel: string): boolean {
  const kind = tryParseChannel(channel)?.kind;
  return kind !== 'logs' && kind !== 'firehose';
}

function isOf(log: Log, { epoch, offset }: Position): boolean {
  if (epoch === log.epoch) return true;
  return log.former.some((former) => former.epoch === epoch && offset <= former.offset);
}

/** The JSON of an event; all have the same length. */
function jsonOf(number: number): string {
  return `{"type":"tick","data":{"n":"${String(number).padStart(6, '0')}","key":${number % 3}}}`;
}
