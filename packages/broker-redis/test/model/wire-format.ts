import type { Frame, FrameFormat, Outcome } from '@leque/core';
import type { Position } from '@leque/protocol';

/** The outcome of one channel that a client asked for. */
export type ChannelOutcome = Outcome & { readonly code?: string };

/** A message that a client of the model reads. */
export type Message =
  | {
      readonly kind: 'publication';
      readonly channel: string;
      readonly position: Position | undefined;
      readonly number: number;
    }
  | {
      readonly kind: 'resync';
      readonly channel: string;
      readonly position: Position | undefined;
      readonly until: Position | undefined;
    }
  | { readonly kind: 'outcomes'; readonly outcomes: readonly (readonly [string, ChannelOutcome])[] }
  | { readonly kind: 'unsubscribed'; readonly channel: string }
  | { readonly kind: 'renewed' };

export interface MessageFrame extends Frame {
  readonly messages: readonly Message[];
}

/** The size of an answer or a resync. */
const ANSWER_BYTES = 60;

export const messageFormat: FrameFormat = {
  transport: 'model',
  encodePublication({ channel, position, body, event }) {
    const { n } = event['data'] as { n: string };
    const message = { kind: 'publication', channel, position, number: Number(n) } as const;
    return { byteLength: body.length, messages: [message] };
  },
  join(frames) {
    return {
      byteLength: frames.reduce((sum, { byteLength }) => sum + byteLength, 0),
      messages: (frames as readonly MessageFrame[]).flatMap(({ messages }) => messages),
    };
  },
  encodeResync(channel, position, until) {
    return frameOf({ kind: 'resync', channel, position, until });
  },
  encodeDropped() {
    return { byteLength: ANSWER_BYTES, messages: [] };
  },
};

export function frameOf(message: Message): MessageFrame {
  return { byteLength: ANSWER_BYTES, messages: [message] };
}
