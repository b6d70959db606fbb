import type { Frame, FrameFormat } from '../publication/publication.ts';

const SCRATCH_BYTES = 65_536;
const NONE: readonly Frame[] = [];

/**
 * Makes one frame of several. Sessions that are flushed one after the other mostly have the same
 * frames queued, and then share what was joined for the first of them; for the others the same
 * memory is used again and again, as the kernel mostly takes what it is given at once.
 */
export class FrameJoiner {
  readonly #joints = new Map<FrameFormat, Joint>();

  /**
   * @param frames at least one, made by `format`; not changed after this
   * @returns a frame that is good until the next call, unless `keep` is called before that
   */
  join(format: FrameFormat, frames: readonly Frame[]): Frame {
    return onlyOf(frames) ?? this.#jointOf(format).join(frames);
  }

  /**
   * As `join`, for what will wait: a frame that stays good, in memory of its own size (MEM).
   */
  joinToKeep(format: FrameFormat, frames: readonly Frame[]): Frame {
    return onlyOf(frames) ?? this.#jointOf(format).joinToKeep(frames);
  }

  /** What was joined last in this format is still needed: its memory is not used again. */
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

/** One wire format's last join, and the memory for the next. */
class Joint {
  readonly #format: FrameFormat;
  #scratch: Buffer | undefined;
  #frames = NONE;
  #frame: Frame | undefined;
  /** Whether the last join lies in `#scratch`. */
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
