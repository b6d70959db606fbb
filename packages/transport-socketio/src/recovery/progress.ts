import { type Cursor, type Position, toCursor } from '@leque/protocol';
import { formatHalf, formatStand, formatTail, MAX_STANDS } from '../wire/offset.ts';
import { type Mark, PacketFrame, type SocketIoFrame, TailedFrame } from '../wire/socketio-frame.ts';
import type { LostState } from './recovery-ids.ts';

const NONE: readonly never[] = [];
/** Replaced by the first one. */
const NO_CURSORS: Cursor[] = [];
/** A channel that was left, though its client knows it from its `pid`. */
const GONE = '';
/** The stand of a channel that has not moved, beside its name; cursors are mostly shorter. */
const STAND_BYTES = 40;
/** The longer header of a longer frame. */
const HEADER_BYTES = 8;
/** A publication is at most two events. */
const EVENTS = 2;

/**
 * What one client's offset has to say: the channels in which it stands elsewhere than its `pid`
 * says. The offset in a publication names the publication's channel only, and is the same for all;
 * so that is enough while no other channel of this client has moved. From the second one on, its
 * frames get a tail of their own.
 */
export class Progress {
  readonly #id: string;
  /** The projects in the `pid`; the user's own channel is always in it. */
  readonly #projects: readonly string[];
  /** Those that have moved, and to where. */
  #channels: readonly string[] = NONE;
  #cursors: Cursor[] = NO_CURSORS;
  /** Of the channel to which the last tail belongs. */
  #tail: { readonly channel: string; readonly text: string } | undefined;
  /** Whether something has changed that no publication tells. */
  #isNew = true;
  /** By channel, the publication of which the client saw the first event of two. */
  #halves: Map<string, Cursor> | undefined;

  /**
   * @param id of the `pid`
   * @param channels those that the `pid` names
   */
  constructor(id: string, channels: Iterable<string>) {
    this.#id = id;
    const projects = [...channels].filter((channel) => !channel.startsWith('user:'));
    // An array that was filled one by one has room for many more.
    this.#projects = projects.length === 0 ? NONE : projects.slice();
  }

  /** As that of a client that lost its connection. */
  static of({ id, base, stands, halves }: LostState): Progress {
    const progress = new Progress(id, base.keys());
    for (const [channel, position] of stands) {
      if (position === undefined) progress.leave(channel);
      else if (!isSame(position, base.get(channel)) || halves.has(channel)) {
        progress.move(channel, toCursor(position));
      }
    }
    if (halves.size > 0) {
      progress.#halves = new Map([...halves].map(([channel, at]) => [channel, toCursor(at)]));
    }
    return progress;
  }

  /** All of it, for the next that the server itself says; undefined when there is nothing new. */
  takeOffset(): string | undefined {
    if (!this.#isNew) return undefined;
    this.#isNew = false;
    return this.#tailWithout(undefined);
  }

  /** The most that a publication's frame gets beside what all get. */
  get stampBytes(): number {
    if (this.#channels.length + this.#projects.length === 0) return 0;
    let bytes = HEADER_BYTES + this.#tailWithout(undefined).length + STAND_BYTES;
    for (const project of this.#projects) bytes += project.length + STAND_BYTES;
    return EVENTS * bytes;
  }

  /** The frame as this client needs it; what it gets is where it stands from then on. */
  stamp(shared: SocketIoFrame): SocketIoFrame {
    const { mark } = shared;
    if (mark === undefined) return shared;
    const frame = this.#halves === undefined ? shared : this.#withoutSeen(shared, mark);
    this.#set(mark.channel, mark.cursor);
    if (this.#channels.length === 1) return frame;
    return new TailedFrame(frame, this.#tailOf(mark.channel));
  }

  /** The client is subscribed to it, and stands there. */
  move(channel: string, cursor: Cursor): void {
    this.#isNew = true;
    this.#set(channel, cursor);
  }

  /** The client is not subscribed to it any more. */
  leave(channel: string): void {
    this.#isNew = true;
    this.#tail = undefined;
    if (channel.startsWith('user:') || this.#projects.includes(channel)) {
      this.#set(channel, GONE);
      return;
    }
    const index = this.#channels.indexOf(channel);
    if (index < 0 || this.#channels.length > MAX_STANDS) return;
    this.#channels = this.#channels.toSpliced(index, 1);
    this.#cursors = this.#cursors.toSpliced(index, 1);
  }

  /** Leaves all but these. */
  keepOnly(channels: { has(channel: string): boolean }): void {
    for (const channel of new Set([...this.#projects, ...this.#channels])) {
      if (!channels.has(channel)) this.leave(channel);
    }
  }

  #set(channel: string, cursor: Cursor): void {
    // Once per delivery, and mostly the first.
    const index = this.#channels[0] === channel ? 0 : this.#channels.indexOf(channel);
    if (index >= 0) {
      this.#cursors[index] = cursor;
    } else if (this.#channels.length <= MAX_STANDS) {
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
    const stands = this.#channels.map((name, index) => this.#standOf(name, index));
    // More than there may be says so, whichever is left out.
    if (stands.length > MAX_STANDS) return formatTail(this.#id, stands);
    const others = stands.filter((_, index) => this.#channels[index] !== channel);
    return formatTail(this.#id, others);
  }

  #standOf(channel: string, index: number): string {
    const half = this.#halves?.get(channel);
    if (half !== undefined) return formatHalf(formatStand(channel, half));
    return formatStand(channel, this.#cursors[index] ?? GONE);
  }

  #withoutSeen(frame: SocketIoFrame, { channel, cursor }: Mark): SocketIoFrame {
    const half = this.#halves?.get(channel);
    if (half === undefined) return frame;
    this.#halves?.delete(channel);
    // Offsets go on in a new epoch, which the history may have been given meanwhile.
    const seen = `${half.slice(half.indexOf('.'))}~"]`;
    const packets = frame.packets.filter((packet) => !packet.endsWith(seen));
    return new PacketFrame(packets, { channel, cursor });
  }
}

function isSame(one: Position, other: Position | undefined): boolean {
  return one.offset === other?.offset && one.epoch === other.epoch;
}
