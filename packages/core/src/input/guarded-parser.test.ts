import { expect, test } from 'vitest';
import { type FrameParser, guardParser, type ParserGuard, parseFrames } from './guarded-parser.ts';

/** Writes at once, as a stream does that has nothing queued. */
class Parser implements FrameParser {
  readonly parsed: string[] = [];

  write(bytes: Buffer): boolean {
    this._write(bytes, 'buffer', () => {});
    return false;
  }
  _write(...[bytes, , done]: Parameters<FrameParser['_write']>): void {
    this.parsed.push(bytes.toString());
    done();
  }
}

test('[MEM] bytes that the guard takes are never parsed, and others only when the guard passes them on', () => {
  const parser = new Parser();
  const received: string[] = [];
  const guard: ParserGuard = {
    takes: (bytes) => bytes.toString() === 'pong',
    receive(bytes, done) {
      received.push(bytes.toString());
      if (bytes.toString() !== 'flood') parseFrames(parser, bytes, done);
    },
  };
  guardParser(parser, guard);
  const answers = ['pong', 'text', 'flood'].map((text) => parser.write(Buffer.from(text)));
  expect(answers).toEqual([true, false, false]);
  expect(received).toEqual(['text', 'flood']);
  expect(parser.parsed).toEqual(['text']);
});
