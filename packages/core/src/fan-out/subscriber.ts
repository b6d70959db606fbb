import type { Frame, FrameFormat, Publication } from '../publication/publication.ts';

/** Narrows a subscription to some of the channel's publications, for example by log level. */
export type Filter = (publication: Publication) => boolean;

/** The part of a session that its subscriptions use. */
export interface Subscriber {
  readonly format: FrameFormat;
  /** Whether so much is queued that publications should be left out where a rule allows it. */
  readonly congested: boolean;
  /** Bytes held back by all its subscriptions, which keep this number up to date. */
  heldBytes: number;
  /** Whether `bytes` more may be held without passing the limit (MEM). */
  canHold(bytes: number): boolean;
  /** Whether `bytes` more of live-only publications may be held, which leaves room for the others. */
  canHoldLive(bytes: number): boolean;
  /** Whether live-only publications are dropped now, because the client reads too slowly. */
  sheds(): boolean;
  /** Counts a live-only publication that was dropped; the client is told once it reads again. */
  drop(publication: Publication): void;
  /** Bytes that the publications will take as frames. */
  bytesOf(publications: readonly Publication[]): number;
  /**
   * @param messages number of messages in the frame
   * @param publishedAtMs see `Batch.publishedAtMs`; 0 or absent when unknown
   * @returns false when the session is closing, perhaps because of this frame
   */
  send(frame: Frame, messages: number, publishedAtMs?: number): boolean;
  /** Whether it is closed as a slow consumer. */
  readonly tooSlow: boolean;
}
