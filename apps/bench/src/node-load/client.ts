import { connect, type Socket } from 'node:net';
import type { ClientKind, Member } from '../generator-spec.ts';
import { nowUs } from './clock.ts';
import { type Frame, FrameWalker, maskedPong, OPCODE } from './frame-walker.ts';
import type { Sequence } from './sequence.ts';
import { StampFinder } from './stamps.ts';
import type { Tally } from './tally.ts';
import { TextCounter } from './text-counter.ts';

const LONGEST_ANSWER_BYTES = 8192;

export interface ClientOptions {
  readonly address: string;
  readonly kind: ClientKind;
  readonly member: Member;
  readonly replies: ReadonlyMap<string, Buffer>;
}

/** One connection, from its attempt to its end. */
export class Client {
  readonly member: Member;
  state: 'upgrading' | 'waiting' | 'open' | 'ended' = 'upgrading';
  /** Resolves when it is ready; rejects when that has failed. */
  readonly ready: Promise<void>;
  frames = 0;
  bytes = 0;
  /** Of the run that is on, if it is to receive what is published. */
  sequences: Map<number, Sequence> | undefined;
  #tally: Tally | undefined;
  readonly #socket: Socket;
  readonly #options: ClientOptions;
  readonly #walker = new FrameWalker();
  readonly #stamps = new StampFinder();
  readonly #readyText: TextCounter;
  readonly #readiness = Promise.withResolvers<void>();
  #answer = Buffer.alloc(0);
  #reason = 'closed by the server';

  constructor(options: ClientOptions) {
    this.#options = options;
    this.member = options.member;
    this.ready = this.#readiness.promise;
    this.#readyText = new TextCounter(options.kind.ready);
    const [host = '', port = ''] = options.address.split(':');
    this.#socket = connect({ host, port: Number(port), noDelay: true });
    this.#socket.once('connect', () => this.#socket.write(options.kind.request));
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.on('error', (error) => {
      this.#reason = error.message;
    });
    this.#socket.once('close', () => this.#end());
  }

  /** Counts what it receives from now on. */
  begin(tally: Tally): void {
    this.#tally = tally;
    this.sequences = tally.sequences(this.member.channels);
  }

  finish(): void {
    this.#tally = undefined;
    this.sequences = undefined;
  }

  /** Stops reading, or goes on. */
  stall(stop: boolean): void {
    if (stop) this.#socket.pause();
    else this.#socket.resume();
  }

  giveUp(reason: string): void {
    this.#reason = reason;
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.state === 'upgrading') this.#takeAnswer(chunk);
    else this.#takeFrames(chunk);
  }

  #takeAnswer(chunk: Buffer): void {
    this.#answer = Buffer.concat([this.#answer, chunk]);
    const end = this.#answer.indexOf('\r\n\r\n');
    if (end < 0 && this.#answer.length < LONGEST_ANSWER_BYTES) return;
    const [statusLine = ''] = this.#answer.toString('latin1', 0, 200).split('\r\n');
    if (end < 0 || !statusLine.includes(' 101')) {
      this.giveUp(statusLine);
      return;
    }
    this.state = 'waiting';
    this.#socket.write(this.#options.kind.afterUpgrade);
    this.#takeFrames(this.#answer.subarray(end + 4));
  }

  #takeFrames(chunk: Buffer): void {
    if (this.state === 'waiting') this.#lookForReady(chunk);
    const atUs = nowUs();
    for (const frame of this.#walker.push(chunk)) this.#takeFrame(frame, atUs);
  }

  #lookForReady(chunk: Buffer): void {
    if (this.#options.kind.ready !== '' && this.#readyText.count(chunk) === 0) return;
    this.state = 'open';
    this.#readiness.resolve();
  }

  #takeFrame({ opcode, payload }: Frame, atUs: number): void {
    this.frames += 1;
    if (opcode === OPCODE.ping) this.#socket.write(maskedPong(payload));
    if (opcode >= OPCODE.close) return;
    const reply = opcode === OPCODE.text && this.#replyTo(payload);
    if (reply) this.#socket.write(reply);
    for (const stamp of this.#stamps.find(payload)) {
      this.#tally?.take(stamp, this.sequences?.get(stamp.channel), atUs);
    }
  }

  #replyTo(payload: Buffer): Buffer | undefined {
    const { replies } = this.#options;
    if (replies.size === 0 || payload.length > 125) return undefined;
    return replies.get(payload.toString());
  }

  #end(): void {
    this.state = 'ended';
    this.#readiness.reject(new Error(this.#reason)); // of no effect once it was ready
  }
}
