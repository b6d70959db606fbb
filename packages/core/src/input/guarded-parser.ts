type Done = (error?: Error | null) => void;

/** The stream in which `ws` parses the frames of one client. */
export interface FrameParser {
  write(bytes: Buffer): boolean;
  _write(bytes: Buffer, encoding: string, done: Done): void;
}

/** Receives the bytes of one client before the parser. */
export interface ParserGuard {
  /** Takes bytes that need no parsing; returns false for all others, which `receive` gets next. */
  takes(bytes: Buffer): boolean;
  /** Takes bytes that are to be parsed; `done` asks for more. */
  receive(bytes: Buffer, done: Done): void;
}

type GuardedParser = FrameParser & { readonly guard: ParserGuard };

/** Routes the parser's input through `guard`. All parsers share the two functions. */
export function guardParser(parser: FrameParser, guard: ParserGuard): void {
  Object.assign(parser, { guard, write, _write });
}

/** Parses bytes that the guard has let through. */
export function parseFrames(parser: FrameParser, bytes: Buffer, done: Done): void {
  prototypeOf(parser)._write.call(parser, bytes, 'buffer', done);
}

/** Returns true when the guard took the bytes, because the socket then need not pause. */
function write(this: GuardedParser, bytes: Buffer): boolean {
  return this.guard.takes(bytes) || prototypeOf(this).write.call(this, bytes);
}

function _write(this: GuardedParser, ...[bytes, , done]: Parameters<FrameParser['_write']>): void {
  this.guard.receive(bytes, done);
}

function prototypeOf(parser: FrameParser): FrameParser {
  return Object.getPrototypeOf(parser) as FrameParser;
}
