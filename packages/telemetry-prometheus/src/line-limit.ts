import type { Clock } from '@leque/core';

const WINDOW_MS = 1000;
const LINES_PER_WINDOW = 10;

interface Window {
  lines: number;
  suppressed: number;
}

/** Limits the lines of each kind to ten a second, and counts the lines that were left out. */
export class LineLimit {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param kind of few values, because each is remembered for a second
   * @param summarise called at the end of the second with the number of lines left out, if there are
   * @returns whether this line is to be written
   */
  take(kind: string, summarise: (suppressed: number) => void): boolean {
    const window = this.#windows.get(kind) ?? this.#open(kind, summarise);
    if (window.lines < LINES_PER_WINDOW) {
      window.lines += 1;
      return true;
    }
    window.suppressed += 1;
    return false;
  }

  #open(kind: string, summarise: (suppressed: number) => void): Window {
    const window = { lines: 0, suppressed: 0 };
    this.#windows.set(kind, window);
    this.#clock.after(WINDOW_MS, () => {
      this.#windows.delete(kind);
      if (window.suppressed > 0) summarise(window.suppressed);
    });
    return window;
  }
}
