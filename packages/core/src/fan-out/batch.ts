import type { Position } from '@leque/protocol';
import { placeLive } from '../publication/live-places.ts';
import type { Frame, FrameFormat, Publication } from '../publication/publication.ts';
import { bytesOf } from '../writing/frame-joiner.ts';

/**
 * The publications of one channel in one turn of the event loop, in order. A session whose position
 * is right before them gets them as one frame, which is made once per wire format.
 */
export class Batch {
  readonly publications: readonly Publication[];
  /** The first position in the batch; undefined when all publications are live-only. */
  readonly first: Position | undefined;
  /** The last position in the batch. */
  readonly last: Position | undefined;
  /** Where the channel stood before the batch, or before its first live-only publication. */
  readonly after: Position | undefined;
  /** Whether some of the publications are live only; see `Publication.isLive`. */
  readonly hasLive: boolean;
  /** Publish time of the oldest, in whole milliseconds on the monotonic clock; 0 when unknown. */
  readonly publishedAtMs: number;
  /** Number of sessions that got the batch as one frame. */
  takenWhole = 0;
  readonly #frames = new Map<FrameFormat, Frame>();

  /** @param publications at least one; the places of live-only ones are noted in them */
  constructor(publications: readonly Publication[], publishedAtMs = 0, after?: Position) {
    this.publications = publications;
    this.publishedAtMs = publishedAtMs;
    this.hasLive = placeLive(publications, after);
    this.after = after ?? publications.find(({ isLive }) => isLive)?.after;
    this.first = publications.find(({ position }) => position !== undefined)?.position;
    this.last = publications.findLast(({ position }) => position !== undefined)?.position;
  }

  get size(): number {
    return this.publications.length;
  }

  /** Whether a session that has seen everything up to `position` gets the whole batch. */
  follows(position: Position | undefined): boolean {
    const { first, last } = this;
    if (first === undefined) return true;
    return (
      position !== undefined &&
      position.offset + 1 === first.offset &&
      position.epoch === first.epoch &&
      // A batch with two epochs is offered publication by publication.
      first.epoch === last?.epoch
    );
  }

  frameIn(format: FrameFormat): Frame {
    let frame = this.#frames.get(format);
    if (frame === undefined) {
      const frames = this.publications.map((publication) => publication.frameIn(format));
      const [only] = frames;
      frame = frames.length === 1 && only !== undefined ? only : joinForGood(format, frames);
      this.#frames.set(format, frame);
    }
    return frame;
  }
}

function joinForGood(format: FrameFormat, frames: readonly Frame[]): Frame {
  return format.join(frames, Buffer.allocUnsafe(bytesOf(frames)));
}
