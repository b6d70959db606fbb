import type { Frame, FrameFormat, Publication } from '../publication/publication.ts';

/** A session, as its subscriptions see it. */
export interface Subscriber {
  readonly format: FrameFormat;
  /** So much is queued for it that what may be left out should be. */
  readonly congested: boolean;
  /** What all its subscriptions hold back: kept up to date by them. */
  heldBytes: number;
  /** Whether that, and so many bytes more, is no more than may wait for it (MEM). */
  canHold(bytes: number): boolean;
  /** What the publications take once they flow. */
  bytesOf(publications: readonly Publication[]): number;
  /**
   * @param messages how many are in the frame
   * @param publishedAtMs see `Batch.publishedAtMs`
   * @returns false when it is being closed, perhaps for this
   */
  send(frame: Frame, messages: number, publishedAtMs?: number): boolean;
  /** It is closed for being too slow. */
  readonly tooSlow: boolean;
}
