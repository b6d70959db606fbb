import { ALL, type Cursor, type Position, toCursor } from '@leque/protocol';
import {
  formatPartial,
  formatPosition,
  formatTail,
  isTooMuch,
  MAX_POSITIONS,
} from '../wire/offset.ts';
import { type Mark, PacketFrame, type SocketIoFrame, TailedFrame } from '../wire/socketio-frame.ts';
import type { CarriedState } from './recovery-ids.ts';

const NONE: readonly never[] = [];
/** The channels of most clients beside the user's own; shared, because each client has a list. */
const ONLY_ALL: readonly string[] = [ALL];
/** Shared by all clients without cursors, so never changed. */
const NO_CURSORS: Cursor[] = [];
/** Replaces the cursor of a channel that was left, and is named in the `pid`. */
const GONE = '';
/** Replaces the cursor of a channel that ended because its right did. */
const ENDED = '~';
/** The bytes of a position beside the channel's name where it is not known; mostly there are less. */
const POSITION_BYTES = 40;
/** The bytes by which a position may grow while the client is sent what it has missed. */
export const GROWTH_BYTES = 3;
/** A longer frame may need a longer header. */
export const HEADER_BYTES = 8;

/**
 * Keeps track of the channels whose positions have moved since one client's `pid` was made. The
 * offset in a publication names the publication's channel only, and is the same for all clients;
 * that is enough while no other channel of the client has moved. When a second one has, the client's
 * frames get a tail of their own.
 */
export class Progress {
  readonly #id: string;
  /** The channels in the `pid` beside the user's own, which is always there. */
  readonly #others: readonly string[];
  /** The channels that have moved, and their cursors at the same indices. */
  #channels: readonly string[] = NONE;
  #cursors: Cursor[] = NO_CURSORS;
  /** The last tail, and the channel that it belongs to. */
  #tail: { readonly channel: string; readonly text: string } | undefined;
  /** Whether something has changed that no publication shows. */
  #isNew = true;
  /** By channel, the publication of which the client has seen the first event of two. */
  #partial: Map<string, Cursor> | undefined;

  /**
   * @param id the id of the `pid`
   * @param channels the channels that the `pid` names
   */
  constructor(id: string, channels: Iterable<string>) {
    this.#id = id;
    const others = [...channels].filter((channel) => !channel.startsWith('user:'));
    // An array that was filled one by one has room for many more.
    this.#others = others.length === 1 && others[0] === ALL ? ONLY_ALL : others.slice();
  }

  /** Continues the progress of a client that lost its connection. */
  static of({ id, base, positions, partial, ended }: CarriedState): Progress {
    const progress = new Progress(id, base.keys());
    for (const [channel, position] of positions) {
      if (position === undefined) progress.leave(channel, ended.has(channel) ? ENDED : GONE);
      else if (!isSame(position, base.get(channel)) || partial.has(channel)) {
        progress.move(channel, toCursor(position));
      }
    }
    if (partial.size > 0) {
      progress.#partial = new Map([...partial].map(([channel, at]) => [channel, toCursor(at)]));
    }
    return progress;
  }

  /** The whole offset, for the next answer of the server; undefined when nothing is new. */
  takeOffset(): string | undefined {
    if (!this.#isNew) return undefined;
    this.#isNew = false;
    return this.#tailWithout(undefined);
  }

  /** The most bytes that the client's tails will add to a frame: each of its packets has one. */
  stampBytesOf({ mark, packets }: SocketIoFrame): number {
    if (mark === undefined) return 0;
    const moved = this.#channels.filter((name) => name !== mark.channel);
    const others = this.#others.filter(
      (name) => name !== mark.channel && !this.#channels.includes(name),
    );
    if (moved.length + others.length === 0) return 0;
    let bytes = HEADER_BYTES + this.#tailWithout(mark.channel).length;
    bytes += moved.length * GROWTH_BYTES;
    for (const name of others) bytes += name.length + POSITION_BYTES;
    return packets.length * bytes;
  }

  /** Adds the client's tail to a frame, and moves its position to the end of the frame. */
  stamp(shared: SocketIoFrame): SocketIoFrame {
    const { mark } = shared;
    if (mark === undefined) return shared;
    const frame = this.#partial === undefined ? shared : this.#withoutSeen(shared, mark);
    this.#set(mark.channel, mark.cursor);
    if (this.#channels.length === 1) return frame;
    return new TailedFrame(frame, this.#tailOf(mark.channel));
  }

  /** The client is subscribed to the channel, and its position there is `cursor`. */
  move(channel: string, cursor: Cursor): void {
    this.#isNew = true;
    this.#set(channel, cursor);
  }

  /** The client's right to the channel has ended: it has not left the channel itself. */
  end(channel: string): void {
    this.leave(channel, ENDED);
  }

  /** The client is not subscribed to the channel any more. */
  leave(channel: string, cursor = GONE): void {
    this.#isNew = true;
    this.#tail = undefined;
    if (channel.startsWith('user:') || this.#others.includes(channel)) {
      this.#set(channel, cursor);
      return;
    }
    const index = this.#channels.indexOf(channel);
    if (index < 0 || this.#channels.length > MAX_POSITIONS) return;
    this.#channels = this.#channels.toSpliced(index, 1);
    this.#cursors = this.#cursors.toSpliced(index, 1);
  }

  /** Leaves all channels but these. */
  keepOnly(channels: { has(channel: string): boolean }): void {
    for (const channel of new Set([...this.#others, ...this.#channels])) {
      const isEnded = this.#cursors[this.#channels.indexOf(channel)] === ENDED;
      if (!channels.has(channel) && !isEnded) this.leave(channel);
    }
  }

  #set(channel: string, cursor: Cursor): void {
    // This runs for each delivery, and mostly finds the first channel.
    const index = this.#channels[0] === channel ? 0 : this.#channels.indexOf(channel);
    if (index >= 0) {
      this.#cursors[index] = cursor;
    } else if (this.#channels.length <= MAX_POSITIONS) {
      this.#channels = this.#channels.concat(channel);
      this.#cursors = this.#cursors.concat(cursor);
    }
    if (this.#tail?.channel !== channel) this.#tail = undefined;
  }

  #tailOf(channel: string): string {
    if (this.#tail === undefined) {
      this.#tail = { channel, text: this.#tailWithout(channel) };
    }
    return this.#tail.text;
  }

  #tailWithout(channel: string | undefined): string {
    const entries = this.#channels.map((name, index) => this.#positionOf(name, index));
    // Too many entries are reported as such, whichever channel is left out.
    if (isTooMuch(entries)) return formatTail(this.#id, entries);
    const others = entries.filter((_, index) => this.#channels[index] !== channel);
    return formatTail(this.#id, others);
  }

  #positionOf(channel: string, index: number): string {
    const partial = this.#partial?.get(channel);
    if (partial !== undefined) return formatPartial(formatPosition(channel, partial));
    return formatPosition(channel, this.#cursors[index] ?? GONE);
  }

  #withoutSeen(frame: SocketIoFrame, { channel, cursor }: Mark): SocketIoFrame {
    const partial = this.#partial?.get(channel);
    if (partial === undefined) return frame;
    this.#partial?.delete(channel);
    // The history may have a new epoch by now, in which offsets continue.
    const seen = `${partial.slice(partial.indexOf('.'))}~"]`;
    const packets = frame.packets.filter((packet) => !packet.endsWith(seen));
    return new PacketFrame(packets, { channel, cursor });
  }
}

function isSame(one: Position, other: Position | undefined): boolean {
  return one.offset === other?.offset && one.epoch === other.epoch;
}
