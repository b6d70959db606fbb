import { closeSync, openSync } from 'node:fs';
import { type Cancel, type Clock, every } from '@leque/core';

const LOOK_MS = 250;
/** Descriptors for the process itself when no other is left: Redis, logs, health checks. */
const RESERVE = 32;
/** Kept free beside the reserve before the shortage counts as over, so that it does not return at once. */
const MARGIN = 16;

export interface DescriptorWatchDeps {
  readonly clock: Clock;
  /** Called once for each change. */
  changed(exhausted: boolean): void;
  /** Opens a descriptor that nobody uses. Throws EMFILE or ENFILE when there is none left. */
  open?(): number;
  close?(descriptor: number): void;
}

/**
 * Notices when the process has no file descriptors left: the kernel's new connections are then
 * closed without a word. It holds a reserve, which it gives back at that moment, so that the process
 * can still answer health checks and reach Redis. It takes the reserve again when there is room.
 */
export class DescriptorWatch {
  readonly #deps: Required<DescriptorWatchDeps>;
  readonly #stop: Cancel;
  readonly #reserve: number[] = [];
  #exhausted = false;

  constructor(deps: DescriptorWatchDeps) {
    this.#deps = { open: () => openSync('/dev/null', 'r'), close: closeSync, ...deps };
    this.#take(RESERVE, this.#reserve);
    this.#stop = every(deps.clock, LOOK_MS, () => this.#look());
  }

  get exhausted(): boolean {
    return this.#exhausted;
  }

  close(): void {
    this.#stop();
    this.#giveBack(this.#reserve);
  }

  #look(): void {
    const probe: number[] = [];
    const enough = this.#exhausted
      ? this.#take(RESERVE + MARGIN, probe)
      : this.#take(RESERVE - this.#reserve.length + 1, probe);
    if (enough && this.#reserve.length < RESERVE) {
      this.#reserve.push(...probe.splice(0, RESERVE - this.#reserve.length));
    }
    this.#giveBack(probe);
    if (enough === !this.#exhausted) return;
    this.#exhausted = !enough;
    if (this.#exhausted) this.#giveBack(this.#reserve);
    this.#deps.changed(this.#exhausted);
  }

  /** @returns false when there are fewer; `into` has those that there are */
  #take(count: number, into: number[]): boolean {
    try {
      while (into.length < count) into.push(this.#deps.open());
      return true;
    } catch (error) {
      if (isShortage(error)) return false;
      throw error;
    }
  }

  #giveBack(descriptors: number[]): void {
    for (const descriptor of descriptors.splice(0)) this.#deps.close(descriptor);
  }
}

function isShortage(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EMFILE' || code === 'ENFILE';
}
