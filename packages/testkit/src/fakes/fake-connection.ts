import type { Connection, Frame, FrameFormat } from '@leque/core';
import type { CloseCode, Position } from '@leque/protocol';

/** What a client of the fake format would have read. */
export type FakeMessage =
  | {
      readonly kind: 'publication';
      readonly channel: string;
      readonly type: string;
      readonly position: Position | undefined;
      readonly event: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'resync'; readonly channel: string; readonly position: Position | undefined };

interface FakeFrame extends Frame {
  readonly messages: readonly FakeMessage[];
}

/** Frames that keep their content readable; as long as its JSON. */
const fakeFormat: FrameFormat = {
  transport: 'fake',
  encodePublication({ origin, type, position, event }) {
    return frameOf([{ kind: 'publication', channel: origin, type, position, event }]);
  },
  join(frames) {
    return frameOf((frames as readonly FakeFrame[]).flatMap(({ messages }) => messages));
  },
  encodeResync(channel, position) {
    return frameOf([{ kind: 'resync', channel, position }]);
  },
};

/** A client whose reading is up to the test. */
export class FakeConnection implements Connection {
  readonly format = fakeFormat;
  /** Everything that was written, in order. */
  readonly sent: FakeMessage[] = [];
  /** Calls of `write`: one flush is one write. */
  writes = 0;
  bufferedBytes = 0;
  closed: { readonly code: CloseCode; readonly reason: string } | undefined;

  write(frame: Frame): void {
    this.writes += 1;
    this.sent.push(...(frame as FakeFrame).messages);
  }

  close(code: CloseCode, reason: string): void {
    this.closed ??= { code, reason };
  }
}

function frameOf(messages: readonly FakeMessage[]): FakeFrame {
  return { byteLength: Buffer.byteLength(JSON.stringify(messages)), messages };
}
