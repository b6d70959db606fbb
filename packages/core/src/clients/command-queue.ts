import type { Clock } from '../lib/clock.ts';
import { Pause } from '../lib/deadline.ts';
import type { CommandPace } from './command-pace.ts';

/** Commands that may wait: as many as a session may have channels. */
export const MAX_WAITING = 512;
const MAX_WAITING_BYTES = 262_144;
/** Room that urgent commands have beyond that. */
const URGENT_RESERVE = { commands: 16, bytes: 65_536 };

/** A command that waits for its turn. */
export interface WaitingCommand {
  readonly run: () => void | Promise<void>;
  /** The size of its text. */
  readonly bytes: number;
  /** Whether it may overtake commands that wait for the pace. */
  readonly isUrgent: boolean;
  /** The channels for which it presents cursors. */
  readonly channels: readonly string[];
}

/** The session that gives the commands. */
export interface CommandOwner {
  readonly clock: Clock;
  /** Called with an error that a command should have caught. */
  failed(error: unknown): void;
  /** Called when all commands are done; the queue may be dropped then. */
  idle(): void;
}

/**
 * Runs one connection's commands one after the other, at their pace, so that answers keep the order of
 * the commands. While commands wait for the pace, urgent ones go first. It is bounded (MEM).
 */
export class CommandQueue {
  readonly #owner: CommandOwner;
  readonly #pace: CommandPace;
  readonly #pause: Pause;
  readonly #waiting: WaitingCommand[] = [];
  #bytes = 0;
  #isRunning = false;

  constructor(pace: CommandPace, owner: CommandOwner) {
    this.#owner = owner;
    this.#pace = pace;
    this.#pause = new Pause(owner.clock);
  }

  get waiting(): readonly WaitingCommand[] {
    return this.#waiting;
  }

  /** @returns false when too many wait; the command is not run then */
  push(command: WaitingCommand): boolean {
    if (!this.#hasRoomFor(command)) return false;
    this.#waiting.push(command);
    this.#bytes += command.bytes;
    if (!this.#isRunning) void this.#run();
    return true;
  }

  /** Drops the commands that wait. */
  clear(): void {
    this.#waiting.length = 0;
    this.#bytes = 0;
    this.#pause.end();
  }

  #hasRoomFor({ isUrgent, bytes }: WaitingCommand): boolean {
    if (this.#waiting.length === 0) return true;
    const reserve = isUrgent ? URGENT_RESERVE : { commands: 0, bytes: 0 };
    return (
      this.#waiting.length < MAX_WAITING + reserve.commands &&
      this.#bytes + bytes <= MAX_WAITING_BYTES + reserve.bytes
    );
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    await undefined; // the caller of `push` continues first
    while (this.#waiting.length > 0) {
      const { waitMs } = this.#pace;
      if (waitMs > 0) await this.#pause.wait(waitMs);
      try {
        await this.#takeNext(waitMs > 0)?.run();
      } catch (error) {
        this.#owner.failed(error);
      }
    }
    this.#isRunning = false;
    this.#owner.idle();
  }

  #takeNext(isPaced: boolean): WaitingCommand | undefined {
    const urgent = isPaced ? this.#waiting.findIndex(({ isUrgent }) => isUrgent) : 0;
    const [next] = this.#waiting.splice(Math.max(0, urgent), 1);
    this.#bytes -= next?.bytes ?? 0;
    return next;
  }
}
