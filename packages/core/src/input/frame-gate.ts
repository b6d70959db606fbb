import type { Cancel } from '../lib/clock.ts';
import { FrameScanner } from './frame-scanner.ts';
import { HOLD_STEP_MS, InputBudget, type InputContext } from './input-budget.ts';

/** How long a socket stays after its last byte was sent, for a client that reads it late. */
const LINGER_MS = 500;

type Done = (error?: Error | null) => void;

/** A client's socket, with the parser of its frames. */
export interface GatedSocket {
  /** Whether the socket is destroyed. */
  readonly gone: boolean;
  /** Parses bytes of one frame; `done` may be called during the call, or later. */
  parse(bytes: Buffer, done: Done): void;
  pause(): void;
  resume(): void;
  /** Called once when the client does not stop sending; nothing is parsed any more. */
  flooded(): void;
}

/** A TCP socket that is about to end. */
export interface EndingSocket {
  pause(): unknown;
  end(): unknown;
  destroy(): unknown;
  once(event: 'finish' | 'close', listener: () => void): unknown;
}

/**
 * Stands between the socket of one client and the parser of its frames. It passes on frame by frame
 * what the client's budget allows, and does not read the socket meanwhile, so that TCP holds the
 * client back. Frames of every kind count, as do the fragments of a message.
 */
export class FrameGate {
  readonly #socket: GatedSocket;
  readonly #context: InputContext;
  readonly #budget: InputBudget;
  readonly #scanner = new FrameScanner();
  /** Bytes that were received and not passed on, from `#at`. */
  #chunk: Buffer | undefined;
  #at = 0;
  /** Ends the write of the chunk. */
  #done: Done | undefined;
  /** Whether the parser has not called back yet. */
  #parsing = false;
  /** Whether `#run` is under way further up the stack. */
  #running = false;
  #stopped = false;
  #cancelHold: Cancel | undefined;

  constructor(socket: GatedSocket, context: InputContext) {
    this.#socket = socket;
    this.#context = context;
    this.#budget = new InputBudget(context);
  }

  /** Whether nothing is parsed any more. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Whether the gate is in its initial state, so that it can be dropped: between two frames, budget full. */
  get atRest(): boolean {
    if (this.#stopped || this.#chunk !== undefined) return false;
    return this.#scanner.atStart && this.#budget.full;
  }

  /** Takes the next bytes of the client; `done` asks for more. */
  write(chunk: Buffer, done: Done): void {
    if (this.#stopped) {
      done();
      return;
    }
    this.#chunk = chunk;
    this.#at = 0;
    this.#done = done;
    this.#run();
  }

  /** Charges bytes that the client did not send as they are: those that inflating has added. */
  charge(bytes: number): void {
    this.#budget.take(0, bytes);
  }

  /** Parses and reads nothing from now on: there is a verdict on this client. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancelHold?.();
    this.#socket.pause();
    this.#finish();
  }

  /**
   * Ends a stopped client's socket after its close frame, which was written before: a client that
   * reads gets it, and one that only sends is cut.
   */
  end(socket: EndingSocket): void {
    const { clock } = this.#context;
    clock.defer(() => socket.pause()); // the parser's owner reads on after an error of its own
    socket.once('finish', () => {
      socket.once(
        'close',
        clock.after(LINGER_MS, () => socket.destroy()),
      );
    });
    socket.end();
  }

  #run(): void {
    if (this.#running) return; // the loop further up goes on
    this.#running = true;
    while (this.#chunk !== undefined && this.#mayPass()) this.#pass(this.#chunk);
    this.#running = false;
  }

  #mayPass(): boolean {
    if (this.#parsing) return false;
    const verdict = this.#budget.verdict();
    if (verdict === 'hold') this.#hold();
    if (verdict === 'close') this.#close();
    return verdict === 'pass';
  }

  #pass(chunk: Buffer): void {
    const packets = this.#scanner.atStart ? 1 : 0;
    const limit = Math.min(chunk.length, this.#at + this.#budget.bytes);
    const end = this.#scanner.advance(chunk.subarray(0, limit), this.#at);
    const bytes = chunk.subarray(this.#at, end);
    this.#budget.take(packets, bytes.length);
    this.#at = end;
    this.#parsing = true;
    this.#socket.parse(bytes, (error) => this.#parsed(error));
  }

  #parsed(error?: Error | null): void {
    this.#parsing = false;
    if (this.#stopped) return;
    if (error) {
      this.#stopped = true;
      this.#finish(error);
    } else if (this.#at === this.#chunk?.length) {
      this.#finish();
    } else {
      this.#run();
    }
  }

  #hold(): void {
    this.#socket.pause();
    this.#cancelHold = this.#context.clock.after(HOLD_STEP_MS, () => this.#release());
  }

  #release(): void {
    this.#cancelHold = undefined;
    if (this.#socket.gone) {
      this.stop();
      return;
    }
    this.#run();
    if (this.#cancelHold === undefined && !this.#stopped) this.#socket.resume();
  }

  #close(): void {
    this.stop();
    this.#socket.flooded();
  }

  #finish(error?: Error): void {
    const done = this.#done;
    this.#chunk = undefined;
    this.#done = undefined;
    done?.(error);
  }
}
