import type { Frame, FrameFormat } from './publication.ts';

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
    const [only] = frames;
    if (frames.length === 1 && only !== undefined) return only;
    let joint = this.#joints.get(format);
    if (joint === undefined) {
      joint = new Joint(format);
      this.#joints.set(format, joint);
    }
    return joint.join(frames);
  }

  /** What was joined last in this format is still needed: its memory is not used again. */
  keep(format: FrameFormat): void {
    this.#joints.delete(format);
  }
}

/** One wire format's last join, and the memory for the next. */
class Joint {
  readonly #format: FrameFormat;
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #frames = NONE;
  #frame: Frame | undefined;

  constructor(format: FrameFormat) {
    this.#format = format;
  }

  join(frames: readonly Frame[]): Frame {
    if (this.#frame !== undefined && areSame(this.#frames, frames)) return this.#frame;
    const bytes = bytesOf(frames);
    if (bytes > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(bytes);
    this.#frames = frames;
    this.#frame = this.#format.join(frames, this.#scratch);
    return this.#frame;
  }
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
