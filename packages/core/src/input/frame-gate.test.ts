import { EventEmitter } from 'node:events';
import { FakeClock } from '@leque/testkit/fakes';
import { expect, test } from 'vitest';
import { FrameGate, type GatedSocket } from './frame-gate.ts';
import type { InputLimits } from './input-budget.ts';

const LIMITS: InputLimits = {
  packetsPerSecond: 20,
  packetBurst: 10,
  bytesPerSecond: 1000,
  byteBurst: 1000,
  holdMs: 2000,
};
/** A masked frame of six bytes without a payload. */
const EMPTY = Buffer.from([0x81, 0x80, 0, 0, 0, 0]);

class Socket implements GatedSocket {
  gone = false;
  paused = false;
  floods = 0;
  readonly parsed: Buffer[] = [];
  /** Callbacks of a parser that takes its time; undefined for one that is done at once. */
  waiting: ((error?: Error | null) => void)[] | undefined;
  onParse = () => {};

  parse(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.parsed.push(bytes);
    this.onParse();
    if (this.waiting === undefined) done();
    else this.waiting.push(done);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  flooded(): void {
    this.floods += 1;
  }
  get bytes(): number {
    return this.parsed.reduce((sum, { length }) => sum + length, 0);
  }
}

function start(limits: Partial<InputLimits> = {}) {
  const clock = new FakeClock();
  const socket = new Socket();
  let held = 0;
  const onHeld = () => {
    held += 1;
  };
  const gate = new FrameGate(socket, { clock, limits: { ...LIMITS, ...limits }, onHeld });
  const asked: (Error | null | undefined)[] = [];
  const write = (chunk: Buffer) => gate.write(chunk, (error) => asked.push(error));
  return { clock, socket, gate, write, asked, held: () => held };
}

const frames = (count: number, frame = EMPTY) => Buffer.concat(Array<Buffer>(count).fill(frame));

test('[MEM] frames within the budget are parsed at once, one by one', () => {
  const { socket, write, asked } = start();
  write(frames(10));
  expect(socket.parsed).toHaveLength(10);
  expect(asked).toEqual([undefined]);
  expect(socket.paused).toBe(false);
});

test('[MEM] above the budget the socket is paused, and goes on at the rate', () => {
  const { clock, socket, write, asked, held } = start();
  write(frames(30));
  expect({ parsed: socket.parsed.length, paused: socket.paused }).toEqual({
    parsed: 10,
    paused: true,
  });
  expect(asked).toEqual([]);
  clock.advance(500);
  expect(socket.parsed).toHaveLength(20);
  clock.advance(500);
  expect({ parsed: socket.parsed.length, paused: socket.paused }).toEqual({
    parsed: 30,
    paused: false,
  });
  expect({ asked: asked.length, held: held(), floods: socket.floods }).toEqual({
    asked: 1,
    held: 1,
    floods: 0,
  });
});

test('[MEM] bytes are held back within a frame, whose parts are passed on in order', () => {
  const { clock, socket, write } = start({ byteBurst: 100, packetBurst: 1000 });
  const large = Buffer.concat([
    Buffer.from([0x82, 0xfe, 0x01, 0x2c, 0, 0, 0, 0]),
    Buffer.alloc(300),
  ]);
  write(large);
  expect(socket.bytes).toBe(100);
  clock.advance(1000);
  expect(Buffer.concat(socket.parsed)).toEqual(large);
});

test('[MEM] a client that does not stop is reported once, and nothing is parsed after that', () => {
  const { clock, socket, write, asked } = start();
  write(frames(10_000));
  clock.advance(2500);
  expect({ floods: socket.floods, asked: asked.length, paused: socket.paused }).toEqual({
    floods: 1,
    asked: 1,
    paused: true,
  });
  const { length } = socket.parsed;
  write(frames(10));
  clock.advance(5000);
  expect({ parsed: socket.parsed.length, asked: asked.length, pending: clock.pending }).toEqual({
    parsed: length,
    asked: 2,
    pending: 0,
  });
});

test('[MEM] what inflating adds is charged, and holds back the next frame', () => {
  const { clock, socket, gate, write } = start({ bytesPerSecond: 10_000, byteBurst: 5000 });
  socket.onParse = () => gate.charge(5000);
  write(frames(3));
  expect(socket.parsed).toHaveLength(1);
  clock.advance(100);
  expect(socket.parsed).toHaveLength(2);
  clock.advance(500);
  expect(socket.parsed).toHaveLength(3);
});

test('[MEM] nothing of a chunk is parsed after a stop in the middle of it', () => {
  const { socket, gate, write, asked } = start();
  socket.onParse = () => socket.parsed.length === 3 && gate.stop();
  write(frames(9));
  expect({ parsed: socket.parsed.length, asked: asked.length, paused: socket.paused }).toEqual({
    parsed: 3,
    asked: 1,
    paused: true,
  });
});

test('[MEM] a frame waits until the one before is inflated', () => {
  const { socket, write, asked } = start();
  socket.waiting = [];
  write(frames(2));
  expect(socket.parsed).toHaveLength(1);
  socket.waiting.shift()?.();
  expect(socket.parsed).toHaveLength(2);
  socket.waiting.shift()?.();
  expect(asked).toEqual([undefined]);
});

test('[MEM] an error of the parser ends the parsing', () => {
  const { socket, gate, write, asked } = start();
  socket.waiting = [];
  write(frames(5));
  const error = new Error('a frame that is wrong');
  socket.waiting.shift()?.(error);
  expect({ asked, stopped: gate.stopped, parsed: socket.parsed.length }).toEqual({
    asked: [error],
    stopped: true,
    parsed: 1,
  });
});

test('[MEM] a gate is at rest when it is in its initial state', () => {
  const { clock, socket, gate, write } = start();
  expect(gate.atRest).toBe(true);
  write(EMPTY);
  expect(gate.atRest).toBe(false); // its budget is not full
  clock.advance(1000);
  expect(gate.atRest).toBe(true);
  write(EMPTY.subarray(0, 3));
  clock.advance(1000);
  expect(gate.atRest).toBe(false); // it is within a frame
  socket.waiting = [];
  write(EMPTY.subarray(3));
  clock.advance(1000);
  expect(gate.atRest).toBe(false); // the parser is not done
  socket.waiting.shift()?.();
  expect(gate.atRest).toBe(true);
  socket.waiting = undefined;
  write(frames(30));
  clock.advance(1500);
  expect(gate.atRest).toBe(false); // it was held back lately
  clock.advance(1500);
  expect(gate.atRest).toBe(true);
  gate.stop();
  expect(gate.atRest).toBe(false);
});

test('[LIVE] a socket that is gone is not held any longer', () => {
  const { clock, socket, write, asked } = start();
  write(frames(30));
  socket.gone = true;
  clock.advance(50);
  expect({ asked: asked.length, pending: clock.pending, floods: socket.floods }).toEqual({
    asked: 1,
    pending: 0,
    floods: 0,
  });
});

/** Ends a stopped socket, whose events the test emits. */
function end() {
  const { clock, gate } = start();
  const calls: string[] = [];
  const tcp = Object.assign(new EventEmitter(), {
    pause: () => calls.push('pause'),
    end: () => calls.push('end'),
    destroy: () => calls.push('destroy'),
  });
  gate.stop();
  gate.end(tcp);
  clock.advance(5000);
  return { clock, calls, tcp };
}

test('[LIVE] a stopped socket is destroyed a moment after its last byte was sent', () => {
  const { clock, calls, tcp } = end();
  expect(calls).toEqual(['end', 'pause']);
  tcp.emit('finish');
  clock.advance(500);
  expect(calls).toEqual(['end', 'pause', 'destroy']);
});

test('[LIVE] a stopped socket that its client closes leaves no timer', () => {
  const { clock, calls, tcp } = end();
  tcp.emit('finish');
  tcp.emit('close');
  expect({ calls, pending: clock.pending }).toEqual({ calls: ['end', 'pause'], pending: 0 });
});
