import type { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import * as ws from 'ws';
import { encodeTextFrame, PING_FRAME } from './text-frame.ts';

// ws exports this class, but its types do not declare it.
const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };

describe('a conforming receiver reads', () => {
  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])('a text of %d bytes', (length) => {
    expect(read(encodeTextFrame('x'.repeat(length)))).toEqual([`text ${'x'.repeat(length)}`]);
  });

  test('a text whose length in bytes differs from its length', () => {
    expect(read(encodeTextFrame('ação 🎐'.repeat(20)))).toEqual([`text ${'ação 🎐'.repeat(20)}`]);
  });

  test('several frames in one write', () => {
    const frames = [encodeTextFrame('a'), PING_FRAME, encodeTextFrame('b')];
    expect(read(Buffer.concat(frames))).toEqual(['text a', 'ping ', 'text b']);
  });
});

function read(bytes: Buffer): string[] {
  const seen: string[] = [];
  const receiver = new Receiver({ isServer: false });
  receiver.on('message', (data: Buffer) => seen.push(`text ${data}`));
  receiver.on('ping', (data: Buffer) => seen.push(`ping ${data}`));
  receiver.write(bytes);
  return seen;
}
