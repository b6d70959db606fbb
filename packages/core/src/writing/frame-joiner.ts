import type { Frame, FrameFormat } from '../publication/publication.ts';

const SCRATCH_BYTES = 65_536;
const NONE: readonly Frame[] = [];

/**
 * Joins several frames into one. Sessions that are flushed one after the other usually have the
 * same frames queued, and share the frame that was joined for the first of them. Otherwise the same
 * memory is reused for each join, because the kernel usually takes a write at once.
 */
export class FrameJoiner {
  readonly #joints = new Map<FrameFormat, Joint>();

  /**
   * @param frames at least one, made by `format`; must not be changed after this
   * @returns a frame that is valid until the next call, unless `keep` is called before
   */
  join(format: FrameFormat, frames: readonly Frame[]): Frame {
    return onlyOf(frames) ?? this.#jointOf(format).join(frames);
  }

  /**
   * Joins frames that will wait. The result stays valid, and its memory is of its own size (MEM).
   */
  joinToKeep(format: FrameFormat, frames: readonly Frame[]): Frame {
    return onlyOf(frames) ?? this.#jointOf(format).joinToKeep(frames);
  }

  /** The last joined frame of this format is still needed: its memory is not reused. */
  keep(format: FrameFormat): void {
    this.#jointOf(format).keep();
  }

  #jointOf(format: FrameFormat): Joint {
    let joint = this.#joints.get(format);
    if (joint === undefined) {
      joint = new Joint(format);
      this.#joints.set(format, joint);
    }
    return joint;
  }
}

/** The last joined frame of one wire format, and the memory for the next one. */
class Joint {
  readonly #format: FrameFormat;
  #scratch: Buffer | undefined;
  #frames = NONE;
  #frame: Frame | undefined;
  /** Whether the last joined frame lies in `#scratch`. */
  #isInScratch = false;

  constructor(format: FrameFormat) {
    this.#format = format;
  }

  join(frames: readonly Frame[]): Frame {
    return this.#lastOf(frames) ?? this.#join(frames, this.#takeScratch(bytesOf(frames)));
  }

  joinToKeep(frames: readonly Frame[]): Frame {
    const last = this.#isInScratch ? undefined : this.#lastOf(frames);
    this.#isInScratch = false;
    return last ?? this.#join(frames, Buffer.allocUnsafeSlow(bytesOf(frames)));
  }

  keep(): void {
    if (this.#isInScratch) this.#scratch = undefined;
    this.#isInScratch = false;
  }

  #lastOf(frames: readonly Frame[]): Frame | undefined {
    return areSame(this.#frames, frames) ? this.#frame : undefined;
  }

  #takeScratch(bytes: number): Buffer {
    this.#isInScratch = true;
    if (this.#scratch === undefined || this.#scratch.length < bytes) {
      this.#scratch = Buffer.allocUnsafeSlow(Math.max(bytes, SCRATCH_BYTES));
    }
    return this.#scratch;
  }

  #join(frames: readonly Frame[], room: Buffer): Frame {
    this.#frames = frames;
    this.#frame = this.#format.join(frames, room);
    return this.#frame;
  }
}

function onlyOf(frames: readonly Frame[]): Frame | undefined {
  return frames.length === 1 ? frames[0] : undefined;
}

export function bytesOf(frames: readonly Frame[]): number {
  let bytes = 0;
  for (const { byteLength } of frames) bytes += byteLength;
  return bytes;
}

function areSame(some: readonly Frame[], others: readonly Frame[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index += 1) {
    if (some[index] !== others[index]) return false;
  }
  return true;
}
