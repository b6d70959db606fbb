import { formatPosition, formatTail } from '../wire/offset.ts';
import type { SocketIoFrame } from '../wire/socketio-frame.ts';
import { GROWTH_BYTES, HEADER_BYTES } from './progress.ts';

/** As long as the ids of `pid`s. */
const ID = 'x'.repeat(8);

/**
 * The bytes that tails will add to what a new session has missed, while it is not known yet: the
 * frames of a channel name the channels that are sent before it.
 */
export class ExpectedTails {
  /** By channel, the bytes of the tail of each of its packets. */
  readonly #bytes = new Map<string, number>();

  /** @param positions channels and cursors, in the order in which they are sent */
  constructor(positions: Iterable<readonly [channel: string, cursor: string]>) {
    let before = formatTail(ID, []).length + HEADER_BYTES;
    for (const [channel, cursor] of positions) {
      this.#bytes.set(channel, this.#bytes.size === 0 ? 0 : before);
      before += formatPosition(channel, cursor).length + 1 + GROWTH_BYTES;
    }
  }

  stampBytesOf({ mark, packets }: SocketIoFrame): number {
    return packets.length * (this.#bytes.get(mark?.channel ?? '') ?? 0);
  }
}
