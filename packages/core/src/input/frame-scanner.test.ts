import { Random } from '@leque/testkit';
import { expect, test } from 'vitest';
import { FrameScanner } from './frame-scanner.ts';

/** A masked frame, as clients send it. */
function frame(length: number, opcode = 1): Buffer {
  const head =
    length < 126 ? [length] : length < 65_536 ? [126, 0, 0] : [127, 0, 0, 0, 0, 0, 0, 0, 0];
  const header = Buffer.from([0x80 | opcode, ...head]);
  header[1] = (header[1] ?? 0) | 0x80;
  if (length >= 126)
    header.writeUIntBE(length, header.length - (length < 65_536 ? 2 : 6), length < 65_536 ? 2 : 6);
  return Buffer.concat([header, Buffer.alloc(4 + length)]);
}

function endsOf(chunks: readonly Buffer[]): number[] {
  const scanner = new FrameScanner();
  const ends: number[] = [];
  let before = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      at = scanner.advance(chunk, at);
      if (scanner.atStart) ends.push(before + at);
    }
    before += chunk.length;
  }
  return ends;
}

test('[MEM] the ends of frames are found wherever chunks split them', () => {
  const random = new Random(11);
  for (let round = 0; round < 200; round += 1) {
    const frames = Array.from({ length: 12 }, () =>
      frame(
        random.pick([0, 1, 2, 125, 126, 127, 300, 65_535, 65_536, 70_000]),
        random.pick([0, 1, 2, 8, 9, 10]),
      ),
    );
    const bytes = Buffer.concat(frames);
    const expected = frames.map((_, n) => Buffer.concat(frames.slice(0, n + 1)).length);
    const chunks: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const size = 1 + random.below(random.pick([3, 20, 70_000]));
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    expect(endsOf(chunks)).toEqual(expected);
  }
});

test('frames without a mask end as well, so that their parser can refuse them', () => {
  expect(endsOf([Buffer.from([0x81, 2, 0x61, 0x62, 0x89, 0])])).toEqual([4, 6]);
});
