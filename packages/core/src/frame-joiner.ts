import type { Frame, FrameFormat } from './publication.ts';

interface Joined {
  readonly frames: readonly Frame[];
  readonly frame: Frame;
}

/**
 * Makes one frame of several. Sessions that are flushed one after the other mostly have the same
 * frames queued, and then share what was joined for the first of them.
 */
export class FrameJoiner {
  readonly #last = new Map<FrameFormat, Joined>();

  /** @param frames at least one, made by `format`; not changed after this */
  join(format: FrameFormat, frames: readonly Frame[]): Frame {
    const [only] = frames;
    if (frames.length === 1 && only !== undefined) return only;
    const last = this.#last.get(format);
    if (last !== undefined && areSame(last.frames, frames)) return last.frame;
    const frame = format.join(frames);
    this.#last.set(format, { frames, frame });
    return frame;
  }
}

function areSame(some: readonly Frame[], others: readonly Frame[]): boolean {
  if (some.length !== others.length) return false;
  for (let index = 0; index < some.length; index += 1) {
    if (some[index] !== others[index]) return false;
  }
  return true;
}
