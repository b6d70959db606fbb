import { describe, expect, test } from 'vitest';
import { frame } from '../../test/support/relay.ts';
import { FrameWalker } from './frame-walker.ts';

describe('a frame walker', () => {
  const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(65_536), 'e'];
  const stream = Buffer.concat(texts.map(frame));

  test.each([1, 2, 3, 7, 1000, stream.length])('takes frames off reads of %d bytes', (size) => {
    const walker = new FrameWalker();
    const taken: string[] = [];
    for (let at = 0; at < stream.length; at += size) {
      const frames = walker.push(stream.subarray(at, at + size));
      taken.push(...frames.map(({ payload }) => payload.toString()));
    }
    expect(taken).toEqual(texts);
  });

  test('does not wait for a frame that is absurdly long', () => {
    const header = Buffer.from([0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]);
    expect(() => new FrameWalker().push(header)).toThrow('a frame of');
  });
});
