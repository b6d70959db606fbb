import type { CloseCode } from '@leque/protocol';
import type { Frame, FrameFormat } from '../publication/publication.ts';

/** A live socket as the core sees it: the writing half. Reading belongs to the transport. */
export interface Connection {
  readonly format: FrameFormat;
  /** Bytes that were written but not taken by the kernel yet. */
  readonly bufferedBytes: number;
  /**
   * The frame with what this client alone needs in it; without this, all get the same bytes. Called
   * for everything that is sent, in that order.
   */
  stamp?(frame: Frame): Frame;
  /** The most that `stamp` would add to the frame of a publication now; nothing without it. */
  readonly stampBytes?: number;
  /** Takes a frame that `format` made, in as few writes as it can. Never throws. */
  write(frame: Frame): void;
  /** Starts closing; frames written before it still go out, later ones are dropped. */
  close(code: CloseCode, reason: string): void;
}
