import type { CloseCode } from '@leque/protocol';
import type { Frame, FrameFormat } from '../publication/publication.ts';

/** The writing half of a live socket. Reading belongs to the transport. */
export interface Connection {
  readonly format: FrameFormat;
  /** Bytes that were written, and that the kernel has not taken yet. */
  readonly bufferedBytes: number;
  /**
   * Adds to a frame what this client alone needs. Called for every frame, in the order of sending.
   * Without this method all clients get the same bytes.
   */
  stamp?(frame: Frame): Frame;
  /** The most bytes that `stamp` will add to a publication's frame; absent without `stamp`. */
  stampBytesOf?(frame: Frame): number;
  /** Writes a frame made by `format`, with as few system calls as possible. Never throws. */
  write(frame: Frame): void;
  /** Starts closing. Frames written before still go out; later ones are dropped. */
  close(code: CloseCode, reason: string): void;
}
