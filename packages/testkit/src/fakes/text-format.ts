import type { Frame, FrameFormat, Publication } from '@leque/core';
import type { Position } from '@leque/protocol';

/** The size of every frame of one message, so that tests can count bytes in their heads. */
const FRAME_BYTES = 10;

/** A frame of one message that a test can read. */
export interface TextFrame extends Frame {
  readonly text: string;
  /** Undefined for publications without a position and for frames that a test has made. */
  readonly position?: Position | undefined;
}

interface JoinedFrame extends Frame {
  readonly frames: readonly TextFrame[];
}

/** The messages in a frame of this format, joined or not. */
export function messagesOf(frame: Frame): readonly TextFrame[] {
  return 'frames' in frame ? (frame as JoinedFrame).frames : [frame as TextFrame];
}

/**
 * A wire format of texts: the offset for a publication (its type when it has none), and
 * `resync OFFSET` for a gap, and `dropped NUMBER` for live-only ones. Each takes ten bytes.
 */
export class TextFormat implements FrameFormat {
  readonly transport = 'fake';
  /** Publications that were encoded, to prove that each is encoded once. */
  encoded = 0;

  encodePublication({ position, type }: Publication): TextFrame {
    this.encoded += 1;
    const text = position === undefined ? type : String(position.offset);
    return { byteLength: FRAME_BYTES, text, position };
  }

  join(frames: readonly Frame[], _room: Buffer): JoinedFrame {
    const messages = frames.flatMap(messagesOf);
    return { byteLength: FRAME_BYTES * messages.length, frames: messages };
  }

  encodeResync(_channel: string, position: Position | undefined): TextFrame {
    return { byteLength: FRAME_BYTES, text: `resync ${position?.offset}`, position };
  }

  encodeDropped(_channel: string, dropped: number): TextFrame {
    return { byteLength: FRAME_BYTES, text: `dropped ${dropped}` };
  }
}
