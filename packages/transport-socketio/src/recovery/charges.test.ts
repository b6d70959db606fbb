import { Publication } from '@leque/core';
import { expect, test } from 'vitest';
import { offsetFormat } from '../wire/socketio-format.ts';
import type { SocketIoFrame } from '../wire/socketio-frame.ts';
import { ExpectedTails } from './expected-tails.ts';
import { Progress } from './progress.ts';

const EPOCH = '5d1a92b8d5ac59c3';
const CURSOR = `${EPOCH}.900`;
const EACH = 200;
const CHANNELS = ['user:u', ...Array.from({ length: 31 }, (_, n) => `project:room-${n}`)];

/** What was missed in the channels, one after the other; every second event is a task's. */
function missed(channels: readonly string[]): SocketIoFrame[] {
  return channels.flatMap((channel) =>
    Array.from({ length: EACH }, (_, n) => {
      const type = n % 2 === 0 ? 'task.x' : 'x';
      const json = JSON.stringify({ type, data: { n } });
      const position = { epoch: EPOCH, offset: 901 + n };
      const publication = new Publication({ channel, type, position, json });
      return publication.frameIn(offsetFormat) as SocketIoFrame;
    }),
  );
}

const sum = (bytes: readonly number[]) => bytes.reduce((total, each) => total + each, 0);

/** Charges all frames before the first is sent, as a resume does. */
function ratio(
  frames: readonly SocketIoFrame[],
  charge: Pick<Progress, 'stampBytesOf'>,
  progress: Progress,
): number {
  const charged = sum(frames.map((frame) => frame.byteLength + charge.stampBytesOf(frame)));
  return charged / sum(frames.map((frame) => progress.stamp(frame).byteLength));
}

test.for([1, 2, 5, 20, 32])(
  "[IO8.15] [MEM] Socket.IO's own recovery of %i channels is charged with hardly more bytes than it takes",
  (count) => {
    const lost = CHANNELS.slice(0, count);
    const progress = new Progress('x'.repeat(8), lost);
    for (const channel of lost) progress.move(channel, CURSOR);
    const charged = ratio(missed(lost), progress, progress);
    expect(charged).toBeGreaterThanOrEqual(1);
    expect(charged).toBeLessThan(1.2);
  },
);

test.for([1, 2, 5, 20, 32])(
  '[IO5] [MEM] a resume of %i channels with `auth.cursors` is charged with hardly more bytes than it takes',
  (count) => {
    const channels = CHANNELS.slice(0, count);
    const expected = new ExpectedTails(channels.map((channel) => [channel, CURSOR] as const));
    const charged = ratio(missed(channels), expected, new Progress('x'.repeat(8), channels));
    expect(charged).toBeGreaterThanOrEqual(1);
    expect(charged).toBeLessThan(1.2);
  },
);
