import type { Position } from '@leque/protocol';
import type { Frame, FrameFormat, Publication } from '../publication/publication.ts';
import { bytesOf } from '../writing/frame-joiner.ts';

/**
 * The publications of one channel that came in one turn of the event loop, in order. A session that
 * stands right before them gets them as one frame, which is made once per wire format.
 */
export class Batch {
  readonly publications: readonly Publication[];
  /** Of the first publication that has a position; undefined where all are live only. */
  readonly first: Position | undefined;
  /** Of the last publication that has a position. */
  readonly last: Position | undefined;
  /** Of the oldest, in whole milliseconds on the monotonic clock; 0 when it is not known. */
  readonly publishedAtMs: number;
  /** Sessions that took all of it at once. */
  takenWhole = 0;
  readonly #frames = new Map<FrameFormat, Frame>();

  /** @param publications at least one */
  constructor(publications: readonly Publication[], publishedAtMs = 0) {
    this.publications = publications;
    this.publishedAtMs = publishedAtMs;
    this.first = publications.find(({ position }) => position !== undefined)?.position;
    this.last = publications.findLast(({ position }) => position !== undefined)?.position;
  }

  get size(): number {
    return this.publications.length;
  }

  /** Whether a session that has seen everything up to `position` takes all of it. */
  follows(position: Position | undefined): boolean {
    const { first, last } = this;
    if (first === undefined) return true;
    return (
      position !== undefined &&
      position.offset + 1 === first.offset &&
      position.epoch === first.epoch &&
      // A new epoch within the batch is judged publication by publication.
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
