import type { FrameFormat } from '@leque/core';
import { encodeEnvelope, encodeReply, toCursor } from '@leque/protocol';
import { encodeTextFrame } from './frames.ts';

/** Finished WebSocket frames with the JSON envelopes of the raw contract. */
export const wsFormat: FrameFormat = {
  encodePublication({ origin, position, json }) {
    return encodeTextFrame(encodeEnvelope({ channel: origin, position, json }));
  },
  encodeResync(channel, position) {
    const cursor = position && toCursor(position);
    return encodeTextFrame(encodeReply('resync', { channel, cursor }, { channel, cursor }));
  },
};
